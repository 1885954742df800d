"""The journal and the log of one durable run: each record is made once, however often the run is run."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from ..budgets import BudgetName, Spending
from ..calls import Claim, Returned
from ..canonical import canonical
from ..journal import StoreError
from ..ledger import Ledger, Transaction, log, reserve_turn, spend_turn
from ..quotas import QuotaName
from ..refusals import Refusal
from . import effects, runs

T = TypeVar("T")
_LOG = logging.getLogger("agentc.durable")
#: Events that are recorded with the approval that they are about.
_ELSEWHERE: Final = frozenset({"approval_asked", "approval_decided"})
#: Seconds between two tries of recording an outcome, at most.
LONGEST_WAIT: Final = 10.0


class DurableJournal:
    """A `Journal` and `RunLog` over a ledger. How states ended is kept together with the next record."""

    def __init__(self, ledger: Ledger, run_id: str) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._steps: list[runs.Step] = []
        self._seen: Counter[str] = Counter()

    async def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
        """Record an event."""
        if kind == "refused":
            await self._write(lambda within: effects.refuse_call(within, run_id, dict(payload)))
        elif kind not in _ELSEWHERE:
            said = hashlib.sha256(canonical({"kind": kind, "payload": payload})).hexdigest()[:32]
            self._seen[said] += 1
            event = f"{said}-{self._seen[said]}"
            await self._write(lambda within: _log_once(within, run_id, event, kind, payload))

    async def claim(self, claim: Claim) -> QuotaName | None:
        """Record an intent. Raises `Parked` as `effects.claim_call`."""
        return await self._write(lambda within: effects.claim_call(within, claim))

    async def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        """Record an outcome: as long as the store can't be written, since it is known here alone."""
        wait = 0.1
        while True:
            try:
                await self._write(lambda within: effects.settle_call(within, run_id, call_id, outcome))
            except StoreError as error:
                _LOG.warning("run %s: %s; trying again in %.1f s", run_id, error, wait)
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT, wait * 2)
            else:
                return

    async def reserve(self, spending: Spending) -> BudgetName | None:
        """Count a turn. One that is asked for again after a crash is counted once."""
        return await self._write(lambda within: reserve_turn(within, spending))

    async def spend(self, run_id: str, turn: str, amount: int) -> None:
        """Count what a turn has cost."""
        await self._write(lambda within: spend_turn(within, run_id, turn, amount))

    def start_run(self, run_id: str, **said: object) -> None:
        """The run was kept before it was begun."""

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """Keep how a state ended with the next record: until then the run can be run again up to here."""
        self._steps.append(runs.Step(step, state, outcome))

    async def end_run(self, run_id: str, status: str, *, output: object, refusal: Refusal | None) -> None:
        """Record the end. An interruption is none: another process goes on, or has ended the run."""
        if status != "cancelled":
            await self._write(lambda within: runs.end_run(within, run_id, status, output, refusal))

    async def flush(self) -> None:
        """Keep what is not kept yet."""
        if self._steps:
            await self._write(lambda within: None)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        steps = list(self._steps)

        def write() -> T:
            with self._ledger.transaction() as within:
                runs.keep_steps(within, self._run_id, steps)
                return work(within)

        done = await asyncio.to_thread(write)
        del self._steps[: len(steps)]
        return done


def _log_once(within: Transaction, run_id: str, event: str, kind: str, payload: Mapping[str, object]) -> None:
    kept = within.execute(
        "INSERT INTO run_events (run_id, event) VALUES (?, ?) ON CONFLICT DO NOTHING", (run_id, event)
    )
    if kept.rowcount == 1:
        log(within, run_id, kind, payload)
