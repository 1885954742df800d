"""How sure a figure is: intervals and paired tests. The tests compare them with scipy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import comb, isclose, sqrt
from statistics import NormalDist, fmean
from typing import Final, NamedTuple

#: Resamples of a bootstrap and of a permutation test.
RESAMPLES: Final = 2000
#: Pairs up to which all ways to swap them are looked at.
_EXACT: Final = 12


class Interval(NamedTuple):
    """The ends of a 95 % confidence interval."""

    low: float
    high: float


def wilson(passed: float, total: int, confidence: float = 0.95) -> Interval:
    """The score interval of a share (Wilson 1927), which is never empty and never leaves 0 to 1."""
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(1 - (1 - confidence) / 2)
    share = passed / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def bootstrap(values: Sequence[float], seed: int, confidence: float = 0.95) -> Interval:
    """The percentile interval of a mean, by resampling cases (Efron 1979)."""
    if not values:
        return Interval(0.0, 0.0)
    if min(values) == max(values):
        return Interval(values[0], values[0])
    draw = random.Random(seed)  # noqa: S311  nothing here is a secret
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1 - confidence) / 2
    return Interval(means[int(tail * RESAMPLES)], means[min(RESAMPLES - 1, int((1 - tail) * RESAMPLES))])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies, interpolated; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mcnemar_worse(broke: int, mended: int) -> float:
    """How probable `broke` or more of the cases that changed are when each changes either way by chance.

    The exact one-sided McNemar test, which is a sign test of the pairs that differ.
    """
    changed = broke + mended
    ways = sum(comb(changed, k) for k in range(broke, changed + 1))
    return ways / (1 << changed) if changed else 1.0


def permutation_worse(drops: Sequence[float], seed: int) -> float:
    """How probable a mean drop like this one is when each pair's sign is chance: one-sided, exact for few."""
    changed = [drop for drop in drops if drop != 0]
    if not changed:
        return 1.0
    seen = sum(changed)

    def reaches(total: float) -> bool:
        return total > seen or isclose(total, seen, rel_tol=1e-9, abs_tol=1e-12)

    if len(changed) <= _EXACT:
        ways = 1 << len(changed)
        hits = sum(
            reaches(sum(drop if way >> at & 1 else -drop for at, drop in enumerate(changed)))
            for way in range(ways)
        )
        return hits / ways
    draw = random.Random(seed)  # noqa: S311  nothing here is a secret
    hits = sum(
        reaches(sum(drop if draw.random() < 0.5 else -drop for drop in changed)) for _ in range(RESAMPLES)
    )
    return (hits + 1) / (RESAMPLES + 1)
