"""The audit log for one tenant's auditors: the records of its runs, and whether the whole chain holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from agentc_runtime.audit import AuditRecord, AuditReport, record_of, verify_audit
from agentc_runtime.chain import Row
from agentc_runtime.durable.audits import verify_ledger
from agentc_runtime.durable.ledgers import store_path
from agentc_runtime.ledger import Ledger

from .problems import ProblemError

#: Records that are looked at in one transaction: some milliseconds.
LOOK: Final = 20_000


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
    """The records of the tenant's runs, oldest first unless said otherwise. It does not verify them.

    Where many records have to be looked at, runs go on between two looks.
    """
    with ledger.transaction() as within:
        row = within.execute("SELECT count FROM head").fetchone()
    last = 0 if row is None else int(str(row[0]))
    if search.before is not None:
        last = min(last, search.before - 1)
    found: list[AuditRecord] = []
    # of one run there are few, and an index finds them
    size = LOOK if search.run_id is None else max(1, last)
    for low, high in _looks(search.after, last, size, newest_first):
        sql, parameters = _query(tenant, search, low, high, newest_first)
        with ledger.transaction() as within:
            rows = within.execute(sql, (*parameters, limit - len(found))).fetchall()
        found += [record_of(Row._make(row), ledger.name) for row in rows]
        if len(found) == limit:
            break
    return tuple(found)


def _looks(after: int, last: int, size: int, newest_first: bool) -> Iterator[tuple[int, int]]:
    """The numbers behind `after` up to `last` in pieces: what each is behind, and its last."""
    if newest_first:
        for high in range(last, after, -size):
            yield max(after, high - size), high
    else:
        for low in range(after, last, size):
            yield low, min(last, low + size)


def _query(
    tenant: str, search: Search, low: int, high: int, newest_first: bool
) -> tuple[str, list[str | int]]:
    conditions: list[str] = ["s.tenant = ?", "a.seq > ?", "a.seq <= ?"]
    parameters: list[str | int] = [tenant, low, high]
    for condition, value in (
        ("a.run_id = ?", search.run_id),
        ("r.agent = ?", search.agent),
        ("a.kind = ?", search.kind),
        ("a.time >= ?", search.since),
        ("a.time < ?", search.until),
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
    # the conditions are those above, with parameters; SQLite keeps the order of a CROSS JOIN, and would begin
    # with all runs of the tenant otherwise
    sql = (
        "SELECT a.seq, a.time, a.run_id, a.kind, a.payload, a.hash FROM audit a"  # noqa: S608
        " CROSS JOIN served_runs s CROSS JOIN runs r WHERE s.run_id = a.run_id AND r.run_id = a.run_id"
        f" AND {' AND '.join(conditions)} ORDER BY a.seq {'DESC' if newest_first else 'ASC'} LIMIT ?"
    )
    return sql, parameters


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
