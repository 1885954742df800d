"""The audit log, for auditors: the records of their tenant, and whether the log is as it was written."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, JsonValue

from .. import audits
from ..problems import documented
from .parts import MAX_NUMBER, RUN_ID, Auditor, LedgerPart

router = APIRouter(prefix="/v1/audit", tags=["audit"])
KIND: Final = r"^[a-z_]{1,80}$"


class RecordView(BaseModel):
    """A record. Numbers and hashes are those of the one chain that all tenants of the service share.

    Of one that was erased the payload is `{"erased": true}`.
    """

    seq: int
    time: str
    run_id: str
    kind: str
    payload: dict[str, JsonValue]
    hash: str


class RecordList(BaseModel):
    """Records, the oldest first."""

    records: list[RecordView]


class Verification(BaseModel):
    """Whether the log is as it was written. `at_seq` is the first record that is wrong or missing.

    `head` is the hash of the last record: one that was kept elsewhere finds a log that was rewritten whole.
    """

    ok: bool
    head: str
    problem: str | None
    at_seq: int | None


@router.get("", operation_id="listAuditRecords", responses=documented(401, 403, 422, 429, 503))
async def list_records(
    caller: Auditor,
    ledger: LedgerPart,
    run: Annotated[str | None, Query(pattern=RUN_ID, description="Only records of this run.")] = None,
    kind: Annotated[str | None, Query(pattern=KIND, description="Only records of this kind.")] = None,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="Only records after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> RecordList:
    """The records of the tenant's runs, oldest first."""
    search = audits.Search(run_id=run, kind=kind, after=after)
    found = await asyncio.to_thread(audits.list_records, ledger, caller.tenant, search, limit=limit)
    return RecordList(records=[RecordView.model_validate(msgspec.to_builtins(one)) for one in found])


@router.get("/verify", operation_id="verifyAuditLog", responses=documented(401, 403, 422, 429, 503))
async def verify(
    _: Auditor,
    request: Request,
    head: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{64}$",
            description="A head that was kept elsewhere: the log has to contain it.",
        ),
    ] = None,
) -> Verification:
    """Find any edit, removal, insertion or reorder."""
    checking: audits.Checking = request.app.state.checking
    report = await checking.verify(head)
    return Verification(ok=report.ok, head=report.head, problem=report.problem, at_seq=report.at_seq)
