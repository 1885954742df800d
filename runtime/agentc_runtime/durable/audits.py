"""The audit log of a store in PostgreSQL: verified and read like that of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..audit import AuditRecord, AuditReport, followed, record_of, report
from ..chain import Chain, Row
from ..ledger import Ledger

#: Records that are read at a time.
BATCH: Final = 1000


def verify_ledger(ledger: Ledger, expect_head: str | None = None) -> AuditReport:
    """Check the whole log: any edit, removal, insertion or reorder is found. Writers may go on meanwhile.

    Raises:
        StoreError: the store can't be read.
    """
    found = _verified(ledger, expect_head)
    for _ in range(2):
        if found.ok:
            break
        # what was erased while it was read is said behind the head that was read before
        found = _verified(ledger, expect_head)
    return found


def _verified(ledger: Ledger, expect_head: str | None) -> AuditReport:
    chain = Chain(expect_head)
    with ledger.transaction() as within:
        heads = within.execute("SELECT count, hash FROM head").fetchall()
    last = heads[0][0] if len(heads) == 1 and isinstance(heads[0][0], int) else None
    for rows in _batches(ledger, last):
        problem, at_seq = followed(chain, rows)
        if problem is not None:
            return report(chain, problem, at_seq)
    return report(chain, *chain.finish(heads))


def read_ledger(ledger: Ledger, run_id: str | None = None) -> Iterator[AuditRecord]:
    """The records, oldest first, of one run or of all. It does not verify them.

    Raises:
        StoreError: the store can't be read, or a record is damaged.
    """
    for row in ledger_rows(ledger):
        if run_id is None or row.run_id == run_id:
            yield record_of(row, ledger.name)


def ledger_rows(ledger: Ledger) -> Iterator[Row]:
    """The records as they are kept, oldest first. It does not verify them.

    Raises:
        StoreError: the store can't be read.
    """
    for rows in _batches(ledger, None):
        yield from map(Row._make, rows)


def _batches(ledger: Ledger, last: int | None) -> Iterator[list[tuple[object, ...]]]:
    """All records up to the number `last`, which was the last when the head was read."""
    after = 0
    while True:
        with ledger.transaction() as within:
            rows = within.execute(
                "SELECT seq, time, run_id, kind, payload, hash FROM audit WHERE seq > ? AND seq <= ?"
                " ORDER BY seq LIMIT ?",
                (after, 2**62 if last is None else last, BATCH),
            ).fetchall()
        yield rows
        if len(rows) < BATCH:
            return
        after = int(str(rows[-1][0]))
