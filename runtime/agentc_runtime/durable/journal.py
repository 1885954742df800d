"""The journal and the log of one durable run: each record is made once, however often the run is run."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

from ..budgets import BudgetName, Spending
from ..calls import Claim, Parked, Returned
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
#: Seconds that an answer may wait for the next record before it is kept by itself.
SOON: Final = 0.002
#: Seconds between two tries of recording an outcome, at most.
LONGEST_WAIT: Final = 10.0


class DurableJournal:
    """A `Journal` and `RunLog` over a ledger, for the process that took the run up as `attempt`.

    Intents are kept before they return. What was answered, by models or to calls, and how states ended is
    kept at once or with the next intent, whichever is sooner: always before an effect that follows from it.
    """

    def __init__(self, ledger: Ledger, run_id: str, attempt: int) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._steps: list[runs.Step] = []
        self._turns: list[tuple[str, str]] = []
        self._settled: list[tuple[str, Returned | Refusal]] = []
        self._spent: list[tuple[str, int]] = []
        self._writing = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._seen: Counter[str] = Counter()
        self.attempt: Final = attempt
        #: Whether what ends now was cut off with this process: that says nothing of what came of a call.
        self.cut_off = False

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

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        """Record an outcome: whoever has the run by then, this is what came of the call."""
        if self.cut_off:
            return  # it is in doubt, as after a crash
        self._settled.append((call_id, outcome))
        self._arrange()

    async def reserve(self, spending: Spending) -> BudgetName | None:
        """Count a turn. One that is asked for again after a crash is counted once."""
        return await self._write(lambda within: reserve_turn(within, spending))

    def spend(self, run_id: str, turn: str, amount: int) -> None:
        """Count what a turn has cost."""
        self._spent.append((turn, amount))
        self._arrange()

    def start_run(self, run_id: str, **said: object) -> None:
        """The run was kept before it was begun."""

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """Keep how a state ended."""
        self._steps.append(runs.Step(step, state, outcome))
        self._arrange()

    def keep_turn(self, step: str, answer: str) -> None:
        """Keep what was answered to a step."""
        self._turns.append((step, answer))
        self._arrange()

    async def end_run(self, run_id: str, status: str, *, output: object, refusal: Refusal | None) -> None:
        """Record the end. An interruption is none: another process goes on, or has ended the run."""
        if status != "cancelled":
            await self._write(lambda within: runs.end_run(within, run_id, status, output, refusal))

    async def flush(self) -> None:
        """Keep what is not kept yet."""
        async with self._writing:
            # looked at when it is our turn: the record before may have taken it along
            if self._steps or self._turns or self._settled or self._spent:
                await self._keep(lambda within: None)

    async def close(self) -> None:
        """Keep the outcomes that are known here alone, for as long as it takes. Nothing is written later.

        Who is cut off tries once: what can't be kept is in doubt.
        """
        if self._soon is not None:
            self._soon.cancel()
        if self._flushing is not None:
            await self._flushing
        wait = 0.1
        while self._settled:
            try:
                await self._write(lambda within: None, whose=False)
            except StoreError as error:
                if self.cut_off:
                    _LOG.warning("run %s: %s; what came of its last call is not kept", self._run_id, error)
                    return
                _LOG.warning("run %s: %s; trying again in %.1f s", self._run_id, error, wait)
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT, wait * 2)

    def _arrange(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON, self._flush)

    def _flush(self) -> None:
        self._soon = None
        self._flushing = asyncio.create_task(self._kept())

    async def _kept(self) -> None:
        # what can't be kept now is kept with the next record, which says why it can't
        with suppress(StoreError, Parked):
            await self.flush()

    async def _write(self, work: Callable[[Transaction], T], *, whose: bool = True) -> T:
        async with self._writing:
            return await self._keep(work, whose=whose)

    async def _keep(self, work: Callable[[Transaction], T], *, whose: bool = True) -> T:
        """Write in one transaction with all that is not kept yet. `whose`: only if the run is still ours."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        steps, turns = list(self._steps), list(self._turns)
        settled, spent = list(self._settled), list(self._spent)

        def write() -> T:
            with self._ledger.transaction() as within:
                if whose:
                    runs.held(within, self._run_id, self.attempt)
                    runs.keep_turns(within, self._run_id, turns)
                    runs.keep_steps(within, self._run_id, steps)
                for call_id, outcome in settled:
                    effects.settle_call(within, self._run_id, call_id, outcome)
                for turn, amount in spent:
                    spend_turn(within, self._run_id, turn, amount)
                return work(within)

        done = await asyncio.to_thread(write)
        del self._settled[: len(settled)], self._spent[: len(spent)]
        if whose:
            del self._steps[: len(steps)], self._turns[: len(turns)]
        return done


def _log_once(within: Transaction, run_id: str, event: str, kind: str, payload: Mapping[str, object]) -> None:
    kept = within.execute(
        "INSERT INTO run_events (run_id, event) VALUES (?, ?) ON CONFLICT DO NOTHING", (run_id, event)
    )
    if kept.rowcount == 1:
        log(within, run_id, kind, payload)
