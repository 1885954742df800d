"""The audit log for one tenant's auditors: the records of its runs, and whether the whole chain holds."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from agentc_runtime.audit import AuditRecord, AuditReport, record_of, verify_audit
from agentc_runtime.chain import Row
from agentc_runtime.durable.audits import verify_ledger
from agentc_runtime.durable.ledgers import store_path
from agentc_runtime.ledger import Ledger

from .problems import ProblemError


@dataclass(frozen=True)
class Search:
    """Which records are wanted: all of what is given. Times are RFC 3339 in UTC, numbers those of records.

    `by` is the subject of a person of the tenant: who began the run, in the record of that, or who decided.
    """

    run_id: str | None = None
    agent: str | None = None
    kind: str | None = None
    by: str | None = None
    since: str | None = None
    until: str | None = None
    after: int = 0
    before: int | None = None


def list_records(
    ledger: Ledger, tenant: str, search: Search, *, limit: int, newest_first: bool = False
) -> tuple[AuditRecord, ...]:
    """The records of the tenant's runs, oldest first unless said otherwise. It does not verify them."""
    conditions, parameters = ["s.tenant = ?", "a.seq > ?"], [tenant, search.after]
    for condition, value in (
        ("a.run_id = ?", search.run_id),
        ("r.agent = ?", search.agent),
        ("a.kind = ?", search.kind),
        ("a.time >= ?", search.since),
        ("a.time < ?", search.until),
        ("a.seq < ?", search.before),
    ):
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    if search.by is not None:
        # a payload is canonical JSON, in which no text holds a quotation mark as it is
        said = f'"by":{json.dumps(f"{search.by} ({tenant})", ensure_ascii=False)}'
        literal = said.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        conditions.append("((a.kind = 'run_started' AND s.subject = ?) OR a.payload LIKE ? ESCAPE '!')")
        parameters += (search.by, f"%{literal}%")
    # the conditions are those above, with parameters
    sql = (
        "SELECT a.seq, a.time, a.run_id, a.kind, a.payload, a.hash FROM audit a"  # noqa: S608
        " JOIN served_runs s ON s.run_id = a.run_id JOIN runs r ON r.run_id = a.run_id"
        f" WHERE {' AND '.join(conditions)} ORDER BY a.seq {'DESC' if newest_first else 'ASC'} LIMIT ?"
    )
    with ledger.transaction() as within:
        rows = within.execute(sql, (*parameters, limit)).fetchall()
    return tuple(record_of(Row._make(row), ledger.name) for row in rows)


class Checking:
    """Checks of the whole chain, which all tenants share: one that holds holds for each of them.

    A check takes as long as the log is, so there is one at a time. `last` is what the newest one of this
    process found, and when (RFC 3339); one that only misses a head that was given is not it.
    """

    def __init__(self, store: str, ledger: Ledger) -> None:
        self._path = store_path(store)
        self._ledger = ledger
        self._lock = asyncio.Lock()
        self.last: tuple[AuditReport, str] | None = None

    async def verify(self, expect_head: str | None) -> AuditReport:
        """Check it now.

        Raises:
            ProblemError: 503 it is being checked for somebody else.
            StoreError: it can't be read.
        """
        if self._lock.locked():
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the log is being checked for somebody else: try again",
                headers={"retry-after": "10"},
            )
        async with self._lock:
            report = await asyncio.to_thread(self._verified, expect_head)
        if expect_head is None or report.ok:
            self.last = report, datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return report

    def _verified(self, expect_head: str | None) -> AuditReport:
        path = self._path
        if path is None:
            return verify_ledger(self._ledger, expect_head)
        return verify_audit(path, expect_head)
