"""The journal of a run that keeps nothing: quotas hold within the process, and nothing survives it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from .budgets import BudgetName, Spending, over
from .calls import Claim, Returned
from .journal import CLAIMED, SETTLED, StoreError, claimed, settled
from .quotas import exhausted
from .refusals import Refusal

_WHERE = "memory"


#: Takes what a store would have put into the audit log: run, kind, payload.
Keep: TypeAlias = Callable[[str, str, Mapping[str, object]], None]


class MemoryJournal:
    """A `Journal` in memory, with the quotas of a store. It lives as long as the run that it is made for.

    Records go to `keep`, for whoever wants to show them; without it they are not even made. There is no
    chain. Its methods raise `StoreError` where those of a store do. It is for one thread.
    """

    def __init__(
        self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, keep: Keep | None = None
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._in_run: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._in_day: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._open: set[tuple[str, str]] = set()
        self._spending: dict[tuple[str, str], tuple[Spending, str, int]] = {}

    def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
        """Pass one event on."""
        if self._keep is None:
            return
        try:
            self._keep(run_id, kind, payload)
        except ValueError as error:
            raise StoreError(f"can't be recorded: {error}", _WHERE) from error

    def claim(self, claim: Claim) -> Literal["per_run", "per_day"] | None:
        """Count the call against its quotas and record the intent.

        Returns the quota that is used up, in which case nothing is counted or recorded.
        """
        run = (claim.run_id, claim.tool)
        day = (claim.agent, claim.tool, self._clock().astimezone(UTC).toordinal())
        used = exhausted(claim.per_run, claim.per_day, in_run=self._in_run[run], in_day=self._in_day[day])
        if used is not None:
            return used
        call = (claim.run_id, claim.call_id)
        if call in self._open:
            raise StoreError(
                f"call `{claim.call_id}` of run `{claim.run_id}` has not been settled yet", _WHERE
            )
        if self._keep is not None:
            self.record(claim.run_id, CLAIMED, claimed(claim))
        self._open.add(call)
        self._in_run[run] += 1
        self._in_day[day] += 1
        return None

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        """Record how a claimed call ended."""
        if (run_id, call_id) not in self._open:
            raise StoreError(f"call `{call_id}` of run `{run_id}` is not open", _WHERE)
        if self._keep is not None:
            try:
                payload = settled(call_id, outcome)
            except ValueError as error:
                raise StoreError(f"can't be recorded: {error}", _WHERE) from error
            self.record(run_id, SETTLED, payload)
        self._open.remove((run_id, call_id))

    def reserve(self, spending: Spending) -> BudgetName | None:
        """Count a turn against its budgets."""
        today = self._clock().astimezone(UTC).date().isoformat()
        spent: Counter[BudgetName] = Counter()
        key = (spending.run_id, spending.turn)
        for other, (turn, day, amount) in self._spending.items():
            if other == key or turn.agent != spending.agent:
                continue
            if turn.session == spending.session:
                spent["cost_per_session_usd"] += amount
            if day == today and turn.tenant == spending.tenant:
                spent["cost_per_tenant_usd"] += amount
            if day == today:
                spent["cost_per_day_usd"] += amount
        exceeded = over(spending, spent)
        if exceeded is None:
            self._spending[key] = (spending, today, spending.amount)
        return exceeded

    def spend(self, run_id: str, turn: str, amount: int) -> None:
        """Count what a turn has cost."""
        spending, day, _ = self._spending[run_id, turn]
        self._spending[run_id, turn] = (spending, day, amount)
