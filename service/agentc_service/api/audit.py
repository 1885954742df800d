"""The audit log, for auditors: the records of their tenant, and whether the log is as it was written."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, JsonValue

from .. import audits
from ..problems import documented
from .parts import AGENT, MAX_NUMBER, RUN_ID, TEXT, Auditor, LedgerPart

router = APIRouter(prefix="/v1/audit", tags=["audit"])
KIND: Final = r"^[a-z_]{1,80}$"
#: RFC 3339 in UTC, to the second or the millisecond.
TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z$"


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


class Asked(BaseModel):
    """Which records are wanted: those of a run, an agent, a kind; of what a person began or decided; from
    `since` on and before `until`; after a record's number."""

    run: str | None = Field(default=None, pattern=RUN_ID)
    agent: str | None = Field(default=None, pattern=AGENT)
    kind: str | None = Field(default=None, pattern=KIND)
    by: str | None = Field(default=None, pattern=TEXT, min_length=1, max_length=200)
    since: str | None = Field(default=None, pattern=TIME)
    until: str | None = Field(default=None, pattern=TIME)
    after: int = Field(default=0, ge=0, le=MAX_NUMBER)
    limit: int = Field(default=200, ge=1, le=1000)


@router.get("", operation_id="listAuditRecords", responses=documented(401, 403, 422, 429, 503))
async def list_records(caller: Auditor, ledger: LedgerPart, asked: Annotated[Asked, Query()]) -> RecordList:
    """The records of the tenant's runs, oldest first."""
    search = audits.Search(
        run_id=asked.run,
        agent=asked.agent,
        kind=asked.kind,
        by=asked.by,
        since=_exact(asked.since),
        until=_exact(asked.until),
        after=asked.after,
    )
    found = await asyncio.to_thread(audits.list_records, ledger, caller.tenant, search, limit=asked.limit)
    return RecordList(records=[RecordView.model_validate(msgspec.to_builtins(one)) for one in found])


def _exact(time: str | None) -> str | None:
    """The time as records have it, so that texts compare as times do."""
    return time if time is None or "." in time else f"{time[:-1]}.000Z"


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
