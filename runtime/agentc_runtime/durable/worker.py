"""A worker: carries out the runs of a store, together with others that know it by the same URL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from ..journal import StoreError
from ..ledger import Ledger
from ..switches import Switches
from . import engine
from .approvals import expire_approvals
from .connections import Connections
from .driver import Doors, RunDriver
from .fleet import BEAT, Watch, alive, claim_queued, open_runs

_LOG = logging.getLogger("agentc.durable")
#: Seconds between two looks for runs to be begun, and two looks for runs that got lost.
HAND: Final = 0.25
RECONCILE: Final = 20.0
#: Runs that are handed over or looked at together.
BATCH: Final = 200
#: How long a worker may be silent before its runs are taken over, in seconds.
PATIENCE: Final = 15.0


def work(
    url: str,
    ledger: Ledger,
    doors: Doors,
    environ: Mapping[str, str],
    stop: threading.Event,
    switches: Switches | None = None,
    *,
    concurrency: int,
    patience: float = PATIENCE,
) -> None:
    """Carry out runs, up to `concurrency` at once, until `stop` is set.

    What is under way then is taken over by others, or goes on when there is a worker again.
    """
    with working(url, ledger, doors, environ, switches, concurrency=concurrency, patience=patience) as chores:
        chores.attend(stop)


@contextmanager
def working(
    url: str,
    ledger: Ledger,
    doors: Doors,
    environ: Mapping[str, str],
    switches: Switches | None = None,
    *,
    concurrency: int,
    patience: float = PATIENCE,
) -> Iterator[Chores]:
    """Be a worker while the block lasts, as long as somebody attends to the chores."""
    connections = Connections(sharing=True)
    driver = RunDriver(ledger, doors, environ, switches, connections=connections)
    name = engine.new_worker()
    with alive(ledger, name), engine.running(url, driver, name, queues=(engine.QUEUE,)):
        engine.open_queue(concurrency)
        yield Chores(ledger, Watch(ledger, patience), driver.made, connections)


class Chores:
    """What a worker does beside its runs, each when it is time.

    `made` takes the runs that this process has kept as its own and begins itself.
    """

    def __init__(self, ledger: Ledger, watch: Watch, made: set[str], connections: Connections) -> None:
        self.made = made
        self.connections = connections
        self._ledger = ledger
        self._watch = watch
        self._looked = self._reconciled = -RECONCILE
        self._lost: set[str] = set()

    def attend(self, stop: threading.Event) -> None:
        """Do what is to be done until `stop` is set."""
        while not stop.wait(HAND):
            try:
                self.do()
            except (StoreError, SQLAlchemyError) as error:
                # the database is away: runs wait for it as well
                _LOG.warning("%s", error)
                stop.wait(BEAT)

    def do(self) -> None:
        """Hand queued runs over; look after the other workers and after questions; find what got lost."""
        run_ids = claim_queued(self._ledger, BATCH)
        if run_ids:
            engine.hand_over(run_ids)
        now = time.monotonic()
        if now - self._looked < BEAT:
            return
        self._looked = now
        self._watch.look()
        for worker in self._watch.silent():
            if self._watch.bury(worker):
                taken = engine.take_over(worker)
                _LOG.warning("worker %s is dead: %d runs are taken over", worker, len(taken))
        expire_approvals(self._ledger)
        if now - self._reconciled >= RECONCILE:
            self._reconciled = now
            self._reconcile()

    def _reconcile(self) -> None:
        """Queue what a crash has left between the store and the engine."""
        # in this order: whoever carries out a run is among the workers before
        carrying = engine.carried_out_by(BATCH)
        for worker in carrying - self._watch.look():
            engine.take_over(worker)
        lost: set[str] = set()
        after = ""
        while run_ids := open_runs(self._ledger, after, BATCH):
            after = run_ids[-1]
            lost.update(engine.stopped(run_ids))
        # one that stops or is handed over at this moment is in order the next time
        engine.hand_over(sorted(lost & self._lost))
        self._lost = lost
