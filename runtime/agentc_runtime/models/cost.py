"""What a turn costs, exactly."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Final

import msgspec

from ..bundle import Model
from .types import ModelRequest, Usage

#: Wide enough for any price and token count in a bundle; a result that would need rounding raises.
_EXACT: Final = Context(prec=100, traps=[Inexact])
#: Tokens that a provider adds to a message or a tool, at most.
_AROUND: Final = 64
_MILLION: Final = Decimal("1E-6")


def most_usd(request: ModelRequest) -> Decimal | None:
    """US dollars that a turn can cost at most; `None` when the model has no prices.

    A token stands for one byte of text or more, so no tokenizer makes more tokens of a request than it has
    bytes; some are added for what a provider puts around each message and tool.
    """
    model = request.model
    encoded = msgspec.json.encode([request.instructions, request.messages, request.tools, request.output])
    around = _AROUND * (2 + len(request.messages) + len(request.tools))
    written = len(encoded) + around
    return cost_usd(model, Usage(input=written, output=model.max_output_tokens, cache_write=written))


@lru_cache(maxsize=1024)
def _price(million: str) -> Decimal:
    """US dollars for one token."""
    return _EXACT.multiply(Decimal(million), _MILLION)


def cost_usd(model: Model, usage: Usage) -> Decimal | None:
    """US dollars for `usage` by the model's prices, not rounded; `None` when the model has no prices.

    Cached input has its own price, or the price of input when none is given, and so has what is written to
    the cache. A provider that reports more cached tokens than input tokens can't lower the cost below that of
    its input.

    Raises:
        decimal.Inexact: a price of more digits than any price has.
    """
    if model.prices is None:
        return None
    prices = model.prices
    full = _price(prices.input)
    reused = min(usage.cached_input, usage.input)
    kept = min(usage.cache_write, usage.input - reused)
    total = _EXACT.fma(
        usage.output, _price(prices.output), _EXACT.multiply(usage.input - reused - kept, full)
    )
    if reused:
        cached = full if prices.cached_input is None else _price(prices.cached_input)
        total = _EXACT.fma(reused, cached, total)
    if kept:
        written = full if prices.cache_write is None else _price(prices.cache_write)
        total = _EXACT.fma(kept, written, total)
    return total
