"""What is kept of runs is erased: when it is old enough, or when a person wants to be forgotten.

What stays says that a run took place, with which bundle and how it ended, and the digests that hold the audit
log together. Nothing else of it does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from ..chain import ERASED_KIND, erased, erasure
from ..ledger import Ledger, Transaction, log
from ..store import rfc3339

#: Records that say nothing but what stays.
_KEPT: Final = ("run_started", ERASED_KIND)
_BATCH: Final = 500

Wanted = Callable[[object, object], bool]


def find_runs(
    ledger: Ledger, *, older_than: timedelta | None = None, wanted: Wanted | None = None
) -> tuple[list[str], list[str]]:
    """The runs that ended so long ago and whose input and session are `wanted`: those that are over and hold
    anything still, and those that are not over."""
    over: list[str] = []
    going: list[str] = []
    for run_id, ended, given, session, before in _all(ledger, older_than):
        if wanted is not None and not wanted(given, session):
            continue
        if ended is None:
            going.append(run_id)
        elif before:
            over.append(run_id)
    return over, going if older_than is None else []


def erase_run(
    ledger: Ledger,
    run_id: str,
    *,
    by: str,
    reason: str,
    also: Callable[[Transaction, str], None] | None = None,
) -> bool:
    """Erase what is kept of a run that is over. False when it is not, or when nothing is left.

    `also` erases, in the same transaction, what somebody else keeps of it in the store. The engine's own
    record of the run is for `engine.forget`.

    Raises:
        StoreError: it can't be kept.
    """
    with ledger.transaction() as within:
        changed = within.execute(
            "UPDATE runs SET input = 'null', session = 'null', output = 'null', refusal = 'null'"
            " WHERE run_id = ? AND ended IS NOT NULL",
            (run_id,),
        )
        if changed.rowcount != 1:
            return False
        within.execute("UPDATE steps SET outcome = 'null' WHERE run_id = ?", (run_id,))
        within.execute(
            "UPDATE calls SET arguments = '{}', outcome = NULL, request_digest = '', idempotency_key = NULL"
            " WHERE run_id = ?",
            (run_id,),
        )
        for table in ("turns", "refused_calls", "run_events", "approvals", "feedback"):
            within.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608  ours
        # its turns are still counted for the day, and no longer for whoever it was
        within.execute("UPDATE spending SET session_key = '' WHERE run_id = ?", (run_id,))
        if also is not None:
            also(within, run_id)
        seqs = _erase_records(within, run_id)
        if not seqs:
            return False
        said = {"records": erasure(seqs), "by": by, "reason": reason}
        log(within, run_id, ERASED_KIND, said)
    return True


def collect_bundles(ledger: Ledger) -> list[str]:
    """Delete the bundles that no run needs any more, and say which. One that a run holds can't be deleted."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT digest FROM bundles b"
            " WHERE NOT EXISTS (SELECT 1 FROM durable_runs d WHERE d.pinned = b.digest)"
        ).fetchall()
        for (digest,) in rows:
            within.execute("DELETE FROM bundles WHERE digest = ?", (digest,))
    return [str(digest) for (digest,) in rows]


def _erase_records(within: Transaction, run_id: str) -> list[int]:
    rows = within.execute(
        "SELECT seq, kind, payload FROM audit WHERE run_id = ? ORDER BY seq", (run_id,)
    ).fetchall()
    seqs: list[int] = []
    for seq, kind, payload in rows:
        gone = erased(str(payload))
        if kind in _KEPT or gone == payload:
            continue
        within.execute("UPDATE audit SET payload = ? WHERE seq = ?", (gone, seq))
        seqs.append(int(str(seq)))
    return seqs


def _all(
    ledger: Ledger, older_than: timedelta | None
) -> Iterator[tuple[str, str | None, object, object, bool]]:
    after = ""
    while True:
        with ledger.transaction() as within:
            rows = within.execute(
                "SELECT run_id, ended, input, session FROM runs WHERE run_id > ? AND input <> 'null'"
                " ORDER BY run_id LIMIT ?",
                (after, _BATCH),
            ).fetchall()
            now = within.now
        limit = now if older_than is None else rfc3339(datetime.fromisoformat(now) - older_than)
        for run_id, ended, given, session in rows:
            when = None if ended is None else str(ended)
            yield str(run_id), when, json.loads(str(given)), json.loads(str(session)), (when or "") <= limit
        if len(rows) < _BATCH:
            return
        after = str(rows[-1][0])
