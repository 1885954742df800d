"""Whether the service lives, and whether it may be given requests: for load balancers, without a caller."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger

from ..problems import ProblemError, documented

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The service works."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", operation_id="getHealth")
async def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", operation_id="getReadiness", responses=documented(503))
async def ready(request: Request) -> Health:
    """The service has its store and takes runs; not while it starts or ends."""
    if not request.app.state.ready:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "starting, or on its way to an end")
    ledger: Ledger = request.app.state.ledger
    try:
        await asyncio.to_thread(_asked, ledger)
    except StoreError as error:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "the store can't be used") from error
    return Health()


def _asked(ledger: Ledger) -> None:
    with ledger.transaction() as within:
        within.execute("SELECT 1").fetchone()
