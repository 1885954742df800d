"""What an agent has spent in a run. Branches share one tally; an agent of a `handoff` has its own."""

from __future__ import annotations

from decimal import Decimal

from ..bundle import Limits, Model, SourceMap
from ..models.cost import cost_usd
from ..models.types import Usage
from .failures import failure


class Tally:
    """Totals so far: `steps`, `calls`, `refusals`, `usage`, and `cost` in US dollars, `None` once a model
    without prices was used. What is counted here is counted in `outer` as well.
    """

    def __init__(self, limits: Limits, source_map: SourceMap, outer: Tally | None = None) -> None:
        self._limits = limits
        self._source_map = source_map
        self._outer = outer
        self.steps = 0
        self.calls = 0
        self.refusals = 0
        self.usage = Usage()
        self.cost: Decimal | None = Decimal(0)

    def enter(self) -> None:
        """Count one more state. Raises `RefusedError` AR501 when `limits.steps` is used up."""
        limit = self._limits.steps
        if self.steps >= limit:
            raise self._over("steps", f"limit `steps` of {limit} is used up", self.steps)
        if self._outer is not None:
            self._outer.enter()
        self.steps += 1

    def called(self) -> None:
        """Count one more call."""
        self.calls += 1
        if self._outer is not None:
            self._outer.called()

    def refused(self) -> None:
        """Count one more call that was refused."""
        self.refusals += 1
        if self._outer is not None:
            self._outer.refused()

    def afford(self, model: Model) -> None:
        """Check the limits on tokens and cost. Raises `RefusedError` AR501 when no turn may be started.

        A limit on cost that can't be kept, because the model has no prices, lets nothing through.
        """
        limits = self._limits
        tokens = self.usage.input + self.usage.output
        if limits.tokens is not None and tokens >= limits.tokens:
            said = f"limit `tokens` of {limits.tokens} is used up: {tokens} so far"
            raise self._over("tokens", said, tokens)
        if limits.cost_usd is not None:
            if model.prices is None or self.cost is None:
                said = f"limit `cost_usd` can't be kept: model `{model.alias}` has no `prices`"
                raise self._over("cost_usd", said, model.alias)
            if self.cost >= Decimal(limits.cost_usd):
                said = f"limit `cost_usd` of {limits.cost_usd} is used up: {self.cost} so far"
                raise self._over("cost_usd", said, str(self.cost))
        if self._outer is not None:
            self._outer.afford(model)

    def spend(self, model: Model, usage: Usage) -> Decimal | None:
        """Add one turn to the totals, and say what it cost; `None` when the model has no prices."""
        total = self.usage
        self.usage = Usage(
            input=total.input + usage.input,
            output=total.output + usage.output,
            cached_input=total.cached_input + usage.cached_input,
            reasoning=total.reasoning + usage.reasoning,
            cache_write=total.cache_write + usage.cache_write,
        )
        cost = cost_usd(model, usage)
        self.cost = None if cost is None or self.cost is None else self.cost + cost
        if self._outer is not None:
            self._outer.spend(model, usage)
        return cost

    def _over(self, limit: str, message: str, value: object) -> Exception:
        return failure(self._source_map, "AR501", message, key=f"limits/{limit}", value=value)
