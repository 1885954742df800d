"""The audit log: what was recorded of the tenant's runs, and whether all of it is as it was written."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from agentc_runtime.audit import AuditReport
from agentc_runtime.times import time_text

from .. import audits
from ..api.audit import KIND
from ..api.parts import AGENT, RUN_ID
from ..audits import Search
from ..problems import ProblemError
from .visits import Visit, signed_in

#: Records on a page.
ROWS: Final = 100
#: Kinds that a search proposes; others may be asked for.
KINDS: Final = (
    "run_started", "placed", "claimed", "page", "settled", "refused", "approval_asked", "approval_decided",
    "repeated", "needs_attention", "resolved", "cancelled", "run_ended", "erased",
)  # fmt: skip


@signed_in("auditor")
async def index(visit: Visit) -> Response:
    """The newest records that are like this."""
    return await _shown(visit, None)


@signed_in("auditor")
async def verify(visit: Visit) -> Response:
    """Check the whole log now. It takes as long as the log is, and one check at a time."""
    fields = await visit.form()
    head = fields.get("head", [""])[0].strip().lower().removeprefix("sha256:")
    if head and not re.fullmatch("[0-9a-f]{64}", head):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "a head is 64 hexadecimal digits")
    return await _shown(visit, await visit.parts.checking.verify(head or None))


async def _shown(visit: Visit, report: AuditReport | None) -> Response:
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FIELDS}
    found = await asyncio.to_thread(
        audits.list_records, visit.parts.ledger, visit.caller.tenant, search_of(asked),
        limit=ROWS + 1, newest_first=True,
    )  # fmt: skip
    return visit.page(
        "audit.html",
        records=found[:ROWS],
        more=found[ROWS - 1].seq if len(found) > ROWS else None,
        asked=asked,
        searched=any(value for name, value in asked.items() if name != "before"),
        kinds=KINDS,
        agents=sorted(visit.parts.settings.agents),
        report=report,
        last=visit.parts.checking.last,
    )


FIELDS: Final = ("run", "agent", "kind", "by", "since", "until", "before")
_PATTERNS: Final = {
    "run": (RUN_ID, "the id of a run"),
    "agent": (AGENT, "the name of an agent"),
    "kind": (KIND, "a kind of record, such as `refused`"),
    "by": (r"[^\x00]{1,200}", "the name of a person"),
    "before": (r"^[1-9][0-9]{0,14}$", "the number of a record"),
}


def search_of(asked: dict[str, str]) -> Search:
    """The search that the fields of the page ask for. Days are UTC, and the last one is whole.

    Raises:
        ProblemError: 400 a field is not what it has to be.
    """
    for name, (pattern, what) in _PATTERNS.items():
        if asked[name] and not re.fullmatch(pattern, asked[name]):
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"`{name}` is not {what}")
    until = _day("until", asked["until"])
    since = _day("since", asked["since"])
    return Search(
        run_id=asked["run"] or None,
        agent=asked["agent"] or None,
        kind=asked["kind"] or None,
        by=asked["by"] or None,
        since=None if since is None else time_text(since),
        until=None if until is None else time_text(until + timedelta(days=1)),
        before=int(asked["before"]) if asked["before"] else None,
    )


def _day(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or text > "9999-12-30":
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"`{name}` is not a day such as 2026-03-01") from error
