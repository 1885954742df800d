"""What the runs of an agent may cost together: reserved before a model turn, settled after it.

A turn is reserved at the most that it can cost, so that runs which go on at the same time can't overspend
together. What is not known of a turn that broke off stays reserved. Amounts are integers of a trillionth of a
US dollar, rounded up, which databases add exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from .bundle import Limits, Program, SourceMap, locate
from .canonical import canonical
from .refusals import Refusal, RefusedError

BudgetName: TypeAlias = Literal["cost_per_session_usd", "cost_per_tenant_usd", "cost_per_day_usd"]
_UNIT: Final = Decimal("1E-12")
#: Where the key of a budget stands in the limits.
_KEYS: Final[dict[BudgetName, str]] = {
    "cost_per_session_usd": "session_key",
    "cost_per_tenant_usd": "tenant_key",
}
_NAMES: Final[tuple[BudgetName, ...]] = ("cost_per_session_usd", "cost_per_tenant_usd", "cost_per_day_usd")


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that is about to be asked for, and what bounds it. `turn` is its key in the run."""

    run_id: str
    turn: str
    agent: str
    session: str
    tenant: str
    amount: int
    limits: dict[BudgetName, int]


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that a turn is paid by: the one that asks, and those that have handed off to it."""

    program: Program
    source_map: SourceMap
    session: object

    @property
    def limited(self) -> bool:
        """Whether there is anything to count."""
        limits = self.program.limits
        return (
            limits.cost_per_session_usd is not None
            or limits.cost_per_tenant_usd is not None
            or limits.cost_per_day_usd is not None
        )

    def spending(self, run_id: str, turn: str, alias: str, dollars: Decimal | None) -> Spending:
        """The turn as it is reserved.

        Raises:
            RefusedError: AR541 it can't be counted: the model has no prices, or the session does not say
                whose the run is.
        """
        if dollars is None:
            raise self._uncounted("cost_per_day_usd", f"model `{alias}` has no `prices`", alias)
        limits = {
            name: units(Decimal(said)) for name in _NAMES if (said := getattr(self.program.limits, name))
        }
        return Spending(
            run_id=run_id,
            turn=f"{turn}@{self.program.agent.name}",
            agent=self.program.agent.name,
            session=self._key("cost_per_session_usd"),
            tenant=self._key("cost_per_tenant_usd"),
            amount=units(dollars),
            limits=limits,
        )

    def used_up(self, name: BudgetName, dollars: Decimal) -> RefusedError:
        """AR540: the turn might go over that budget."""
        limit = getattr(self.program.limits, name)
        most = f"{dollars:.6f} US dollars"
        message = f"limit `{name}` of {limit} may not hold the next model turn, of up to {most}"
        at = locate(self.source_map, f"limits/{name}")
        return RefusedError(Refusal(code="AR540", message=message, value=limit, at=at))

    def _key(self, name: BudgetName) -> str:
        limits: Limits = self.program.limits
        if getattr(limits, name) is None:
            return ""
        field = getattr(limits, _KEYS[name])
        value = self.session.get(field) if isinstance(self.session, Mapping) else None
        if value is None or value == "":
            raise self._uncounted(name, f"the session has no `{field}`", field)
        return canonical(value).decode()

    def _uncounted(self, name: BudgetName, why: str, value: object) -> RefusedError:
        message = f"limit `{name}` can't be kept: {why}"
        at = locate(self.source_map, f"limits/{name}")
        return RefusedError(Refusal(code="AR541", message=message, value=value, at=at))


def units(dollars: Decimal) -> int:
    """An amount in trillionths, rounded up."""
    return int((dollars / _UNIT).to_integral_value(ROUND_CEILING))


def over(spending: Spending, spent: Mapping[BudgetName, int]) -> BudgetName | None:
    """The budget that the turn might go over, after what was spent and reserved under each."""
    return next(
        (name for name, limit in spending.limits.items() if spent.get(name, 0) + spending.amount > limit),
        None,
    )
