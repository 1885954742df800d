"""What came of the search for a value that satisfies some conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Found:
    """A value. `doubt` is what could not be checked about it, and must be by the validator."""

    value: object
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """No value satisfies them: certain."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Not known, for this reason."""

    reason: str


Outcome: TypeAlias = Found | Nothing | Unclear
NOTHING: Final = Nothing()


def better(first: Outcome, second: Outcome) -> Outcome:
    """What two ways to a value come to: one that is sure, or else in doubt, or else unclear."""
    return second if _rank(second) < _rank(first) else first


def sure(outcome: Outcome) -> bool:
    """Whether nothing better can be found."""
    return isinstance(outcome, Found) and outcome.doubt is None


def _rank(outcome: Outcome) -> int:
    match outcome:
        case Found(doubt=None):
            return 0
        case Found():
            return 1
        case Unclear():
            return 2
        case _:
            return 3
