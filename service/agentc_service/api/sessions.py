"""Sessions: who a run is for, said once by a trusted program, so that a client can't say otherwise."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, JsonValue

from agentc_runtime.run import unfit_data

from .. import tables
from ..problems import ProblemError, documented
from ..tables import ServedSession
from .bodies import StrictRoute
from .parts import SESSION_ID, LedgerPart, RunsPart, Starter

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=StrictRoute)
SessionId = Annotated[str, Path(pattern=SESSION_ID)]


class NewSession(BaseModel):
    """The session of an agent's runs, by the agent's own schema."""

    model_config = ConfigDict(extra="forbid")

    agent: str
    data: dict[str, JsonValue]
    """What `${session.…}` in the specs stands for, such as the id of the customer."""


class SessionView(BaseModel):
    """A session. What is in it is not shown again."""

    id: str
    agent: str
    created: str


@router.post(
    "", operation_id="createSession", status_code=201,
    responses=documented(400, 401, 403, 404, 413, 422, 429, 503),
)  # fmt: skip
async def create(caller: Starter, body: NewSession, runs: RunsPart, ledger: LedgerPart) -> SessionView:
    """Begin a session. Its id is as good as its data: give it only to whom it is about."""
    served = runs.served(body.agent)
    refusal = unfit_data(served.bundle, "session", body.data)
    if refusal is not None:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, refusal.message, code=refusal.code)
    session = ServedSession(
        f"s-{secrets.token_urlsafe(24)}",
        caller.tenant,
        caller.subject,
        body.agent,
        body.data,
        datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    await asyncio.to_thread(tables.keep_session, ledger, session)
    return _view(session)


@router.get("/{session_id}", operation_id="getSession", responses=documented(401, 403, 404, 422, 429, 503))
async def get(caller: Starter, session_id: SessionId, ledger: LedgerPart) -> SessionView:
    """Whether a session is there."""
    found = await asyncio.to_thread(tables.find_session, ledger, caller.tenant, session_id)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "no such session here")
    return _view(found)


@router.delete(
    "/{session_id}",
    operation_id="endSession",
    status_code=204,
    responses=documented(401, 403, 404, 422, 429, 503),
)
async def end(caller: Starter, session_id: SessionId, ledger: LedgerPart) -> None:
    """End a session: no new run begins with it."""
    if not await asyncio.to_thread(tables.end_session, ledger, caller.tenant, session_id):
        raise ProblemError(HTTPStatus.NOT_FOUND, "no such session here")


def _view(session: ServedSession) -> SessionView:
    return SessionView(id=session.session_id, agent=session.agent, created=session.created)
