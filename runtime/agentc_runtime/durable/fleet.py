"""Which processes carry out runs, and which runs nobody carries out.

No clock decides whether a process is dead: it counts up, and who watches it measures by the own monotonic
clock for how long the count has not changed. A process that was taken for dead and is not can do no harm: it
has lost its runs, and finds that out with the next thing that it records.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from ..journal import StoreError
from ..ledger import Ledger

_LOG = logging.getLogger("agentc.durable")
#: Seconds between two signs of life.
BEAT: Final = 1.0


@contextmanager
def alive(ledger: Ledger, worker: str) -> Iterator[None]:
    """Be one of the workers while the block lasts, and show it from a thread of its own.

    It begins before anything is carried out, and what is left at its end is taken over at once.

    Raises:
        StoreError: the store can't be written at the beginning.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            try:
                _beat(ledger, worker)
            except StoreError as error:
                _LOG.warning("%s", error)

    _beat(ledger, worker)
    heart = threading.Thread(target=beat, name="agentc-heart", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        with suppress(StoreError), ledger.transaction() as within:
            within.execute("DELETE FROM workers WHERE worker = ?", (worker,))


def _beat(ledger: Ledger, worker: str) -> None:
    with ledger.transaction() as within:
        # the row is new, or others took this process for dead, as after a long sleep of the machine
        within.execute(
            "INSERT INTO workers (worker, beats, started) VALUES (?, 0, ?)"
            " ON CONFLICT (worker) DO UPDATE SET beats = workers.beats + 1",
            (worker, within.now),
        )


class Watch:
    """What one process knows of the others. `patience` is how many seconds a process may be silent."""

    def __init__(
        self, ledger: Ledger, patience: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._patience = patience
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self) -> set[str]:
        """See who is alive."""
        with self._ledger.transaction() as within:
            rows = within.execute("SELECT worker, beats FROM workers").fetchall()
        now = self._monotonic()
        beats = {str(worker): int(str(count)) for worker, count in rows}
        known = self._seen
        self._seen = {
            worker: known[worker] if worker in known and known[worker][0] == count else (count, now)
            for worker, count in beats.items()
        }
        return set(beats)

    def silent(self) -> list[str]:
        """Those that have been silent for too long."""
        now = self._monotonic()
        return [worker for worker, (_, since) in self._seen.items() if now - since >= self._patience]

    def bury(self, worker: str) -> bool:
        """Strike a process off the list. True for the one of all watchers that did it."""
        self._seen.pop(worker, None)
        with self._ledger.transaction() as within:
            return within.execute("DELETE FROM workers WHERE worker = ?", (worker,)).rowcount == 1


def claim_queued(ledger: Ledger, limit: int) -> list[str]:
    """Runs that wait to be handed to the engine, for whoever asks first."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT d.run_id FROM durable_runs d JOIN runs r ON r.run_id = d.run_id WHERE d.handed = 0"  # noqa: S608
            f" AND r.status = 'queued' ORDER BY d.run_id LIMIT ?{_skipping(within.holding)}",
            (limit,),
        ).fetchall()
        run_ids = [str(row[0]) for row in rows]
        for run_id in run_ids:
            within.execute("UPDATE durable_runs SET handed = 1 WHERE run_id = ?", (run_id,))
    return run_ids


def open_runs(ledger: Ledger, after: str, limit: int) -> list[str]:
    """Runs that should be under way, in the order of their ids, those behind `after`."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT r.run_id FROM runs r JOIN durable_runs d ON r.run_id = d.run_id"
            " WHERE r.status IN ('queued', 'running') AND d.handed = 1 AND r.run_id > ?"
            " ORDER BY r.run_id LIMIT ?",
            (after, limit),
        ).fetchall()
    return [str(row[0]) for row in rows]


def _skipping(holding: str) -> str:
    """Two workers that look at the same moment take different runs."""
    return f"{holding} OF d SKIP LOCKED" if holding else ""
