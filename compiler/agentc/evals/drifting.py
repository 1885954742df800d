"""Whether production has drifted from the golden set: two reports, of different cases, scorer by scorer."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import Final

import msgspec

from .outcome import Outcome
from .summary import Rate

_EVEN: Final = 1e-9


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One rate in both reports. `chance` is how probable a difference like this is when nothing has changed
    (Fisher's exact test, two-sided)."""

    what: str
    golden: float
    production: float
    golden_total: int
    production_total: int
    chance: float

    @property
    def worse(self) -> float:
        """How much lower the rate is in production."""
        return self.golden - self.production


def drift(golden: Outcome, production: Outcome) -> tuple[Drift, ...]:
    """Every rate that both reports know, the surest drop first."""
    found = list(_rates(golden, production))
    return tuple(sorted(found, key=lambda one: (one.worse <= 0, one.chance, one.what)))


def _rates(golden: Outcome, production: Outcome) -> Iterator[Drift]:
    pairs = {
        "pass_rate": (golden.summary.pass_rate, production.summary.pass_rate),
        "task_success_rate": (golden.summary.task_success_rate, production.summary.task_success_rate),
        "tool_success_rate": (golden.summary.tool_success_rate, production.summary.tool_success_rate),
        "valid_output_rate": (golden.summary.valid_output_rate, production.summary.valid_output_rate),
    }
    for name, rate in golden.summary.scorers.items():
        if name in production.summary.scorers:
            pairs[f"scorer {name}"] = (rate, production.summary.scorers[name])
    for what, (one, other) in pairs.items():
        if one.total and other.total:
            yield Drift(
                what=what,
                golden=one.value,
                production=other.value,
                golden_total=one.total,
                production_total=other.total,
                chance=round(fisher(_hits(one), one.total, _hits(other), other.total), 6),
            )


def _hits(rate: Rate) -> int:
    return round(rate.value * rate.total)


def fisher(hits: int, total: int, other_hits: int, other_total: int) -> float:
    """Fisher's exact test, two-sided: all tables with these margins that are no likelier than this one."""
    everything, passed = total + other_total, hits + other_hits
    ways = comb(everything, passed)
    low, high = max(0, passed - other_total), min(total, passed)

    def likely(k: int) -> float:
        return comb(total, k) * comb(other_total, passed - k) / ways

    seen = likely(hits)
    return min(1.0, sum(p for k in range(low, high + 1) if (p := likely(k)) <= seen * (1 + _EVEN)))
