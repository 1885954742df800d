"""What a turn costs, exactly."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from typing import Final

from ..bundle import Model
from .types import Usage

#: Wide enough for any price and token count in a bundle; a result that would need rounding raises.
_EXACT: Final = Context(prec=100, traps=[Inexact])
_MILLION: Final = Decimal("1E-6")


def cost_usd(model: Model, usage: Usage) -> Decimal | None:
    """US dollars for `usage` by the model's prices, not rounded; `None` when the model has no prices.

    Cached input has its own price, or the price of input when none is given. A provider that reports more
    cached tokens than input tokens can't lower the cost below that of its input.

    Raises:
        decimal.Inexact: a price of more digits than any price has.
    """
    if model.prices is None:
        return None
    full = Decimal(model.prices.input)
    cached = full if model.prices.cached_input is None else Decimal(model.prices.cached_input)
    reused = min(usage.cached_input, usage.input)
    total = Decimal(0)
    for tokens, price in (
        (usage.input - reused, full),
        (reused, cached),
        (usage.output, Decimal(model.prices.output)),
    ):
        total = _EXACT.add(total, _EXACT.multiply(_EXACT.multiply(Decimal(tokens), price), _MILLION))
    return total
