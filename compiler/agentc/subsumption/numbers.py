"""Whether a number satisfies conditions, and the plainest one that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil, floor, gcd, lcm
from typing import Final

from .budget import Budget
from .formulas import AtLeast, AtMost, Listed, Literal, MultipleOf
from .outcomes import NOTHING, Found, Outcome, Unclear
from .values import Key, Number, exact, written

#: A witness is looked for around this number.
_ORDINARY: Final = 1
_CANDIDATES: Final = 10_000
_DIGITS: Final = 17


@dataclass(slots=True)
class _Range:
    """From `low` to `high`, without the ends that are open; `None` is without end."""

    low: Number | None = None
    low_open: bool = False
    high: Number | None = None
    high_open: bool = False

    def at_least(self, value: Number, *, over: bool) -> None:
        """Cut off what is below."""
        if self.low is None or value > self.low or (value == self.low and over):
            self.low, self.low_open = value, over

    def at_most(self, value: Number, *, under: bool) -> None:
        """Cut off what is above."""
        if self.high is None or value < self.high or (value == self.high and under):
            self.high, self.high_open = value, under

    @property
    def empty(self) -> bool:
        """Whether no number is left."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def whole_steps(self, step: Number) -> tuple[int | None, int | None]:
        """The first and last multiple of `step` in the range, as how many steps from 0."""
        first = last = None
        if self.low is not None:
            quotient = Fraction(self.low) / step
            first = floor(quotient) + 1 if self.low_open else ceil(quotient)
        if self.high is not None:
            quotient = Fraction(self.high) / step
            last = ceil(quotient) - 1 if self.high_open else floor(quotient)
        return first, last


def find_number(literals: Sequence[Literal], budget: Budget) -> Outcome:
    """A number that satisfies all `literals`, none of which lists what is allowed."""
    range_ = _Range()
    steps: list[Number] = []
    avoided: list[Number] = []
    excluded: set[Key] = set()
    for literal in literals:
        match literal.atom, literal.positive:
            case AtLeast(value, over), True:
                range_.at_least(value, over=over)
            case AtLeast(value, over), False:
                range_.at_most(value, under=not over)
            case AtMost(value, under), True:
                range_.at_most(value, under=under)
            case AtMost(value, under), False:
                range_.at_least(value, over=not under)
            case MultipleOf(step), True:
                steps.append(step)
            case MultipleOf(step), False:
                avoided.append(step)
            case Listed() as listed, False:
                excluded |= listed.keys
    if range_.empty:
        return NOTHING
    if steps:
        return _multiple(range_, _common_step(steps), avoided, excluded, budget)
    if range_.low is not None and range_.low == range_.high:
        fits = range_.low not in excluded and not any(range_.low % step == 0 for step in avoided)
        return _spelled([range_.low]) if fits else NOTHING
    return _spelled(
        number
        for number in islice(_decimals(range_), _CANDIDATES + len(excluded))
        if _counted(budget) and number not in excluded and not any(number % step == 0 for step in avoided)
    )


def _counted(budget: Budget) -> bool:
    budget.spend()
    return True


def _common_step(steps: Sequence[Number]) -> Number:
    """The least common multiple."""
    top, bottom = 1, 0
    for step in steps:
        fraction = Fraction(step)
        top, bottom = lcm(top, fraction.numerator), gcd(bottom, fraction.denominator)
    return Fraction(top, bottom)


def _multiple(
    range_: _Range, step: Number, avoided: Sequence[Number], excluded: set[Key], budget: Budget
) -> Outcome:
    """A multiple of `step` that is none of any of `avoided`: all is counted in steps from 0."""
    first, last = range_.whole_steps(step)
    periods = [(Fraction(other) / step).numerator for other in avoided]
    if 1 in periods or (first is not None and last is not None and first > last):
        return NOTHING
    candidates = _around(floor(Fraction(_ORDINARY) / step) or 1, first, last)
    # what avoids every period repeats after their product: none in so many is none at all
    enough = lcm(*periods) * (len(excluded) + 1)
    looked = 0
    fitting: list[Number] = []
    for count in candidates:
        looked += 1
        budget.spend()
        number = count * step
        if any(count % period == 0 for period in periods) or number in excluded:
            if looked > 2 * enough + 2 and not fitting:
                return NOTHING
            if looked > _CANDIDATES + 2 * len(excluded):
                return Unclear("no number was found that avoids all that is excluded")
            continue
        if written(number) is not None:
            return Found(written(number))
        fitting.append(number)
        if len(fitting) > 100:
            break
    return Unclear("no JSON number is written as any that fits") if fitting else NOTHING


def _around(start: int, first: int | None, last: int | None) -> Iterator[int]:
    """The integers from `first` to `last`, those near `start` earlier."""
    if first is not None:
        start = max(start, first)
    if last is not None:
        start = min(start, last)
    up = down = start
    yield start
    while True:
        up, down = up + 1, down - 1
        above, below = last is None or up <= last, first is None or down >= first
        if not above and not below:
            return
        if below and (down >= 0 or not above):
            yield down
        if above:
            yield up
        if below and down < 0 and above:
            yield down


def _decimals(range_: _Range) -> Iterator[Number]:
    """Numbers in a range that is more than a point: whole ones first, then with more and more digits."""
    for digits in range(_DIGITS):
        step = Fraction(1, 10**digits)
        first, last = range_.whole_steps(step)
        if first is not None and last is not None and first > last:
            continue
        start = floor(Fraction(_ORDINARY) / step)
        for count in islice(_around(start, first, last), 64 if digits else _CANDIDATES // 2):
            yield exact_fraction(count * step)
    middle = Fraction((range_.low or 0) + (range_.high or 0)) / 2
    yield middle


def exact_fraction(number: Number) -> Number:
    """An `int` where it is one."""
    return number.numerator if number.denominator == 1 else number


def _spelled(numbers: Iterator[Number] | Sequence[Number]) -> Outcome:
    """The first that JSON can write."""
    seen = False
    for number in numbers:
        seen = True
        if (found := written(number)) is not None and exact(found) == number:
            return Found(found)
    return Unclear("no JSON number is written as any that fits" if seen else "no number was found that fits")
