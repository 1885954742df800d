"""What is asked of the decision, and what it answers: all frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

#: A set of JSON values: those that a schema accepts, or a combination of such sets.
Region: TypeAlias = "Mapping[str, object] | bool | Intersection | Union | Complement"


@dataclass(frozen=True, slots=True)
class Intersection:
    """The values that are in all of `regions`; of none, every value."""

    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """The values that are in one of `regions` at least; of none, no value."""

    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Complement:
    """The values that are not in `region`."""

    region: Region


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be spent on one question before the answer is `Undecided`.

    All are counts, so that the same question has the same answer on every machine. `steps` bounds the
    structural search; one takes some microseconds. Where it is spent, z3 is asked, within `solver_steps` of
    its own (`rlimit`), `solver_rounds` proposals, and `steps_with_solver` for looking at those. `retries`
    bounds the witnesses that are tried when the validator does not confirm the first.
    """

    steps: int = 200_000
    solver_steps: int = 1_000_000
    solver_rounds: int = 1_000
    steps_with_solver: int = 400_000
    retries: int = 8


@dataclass(frozen=True, slots=True)
class Included:
    """Every value of the one region is in the other."""


@dataclass(frozen=True, slots=True)
class Escapes:
    """`witness` is a JSON value of the one region that is not in the other, as jsonschema-rs judges both."""

    witness: object


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither was shown. Whoever guards something has to take it for an escape."""

    reason: str


Answer: TypeAlias = Included | Escapes | Undecided
Relation: TypeAlias = Literal["equal", "wider", "narrower", "incomparable", "undecided"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a new region relates to an old one.

    `gained` says whether the new one stays inside the old one, and `lost` whether the old one inside the new.
    The relation is `undecided` as soon as one of them is; the other may still hold a witness.
    """

    gained: Answer
    lost: Answer

    @property
    def relation(self) -> Relation:
        """What the new region is: `wider` has values that the old one has not, and lacks none."""
        match self.gained, self.lost:
            case Included(), Included():
                return "equal"
            case Escapes(), Included():
                return "wider"
            case Included(), Escapes():
                return "narrower"
            case Escapes(), Escapes():
                return "incomparable"
            case _:
                return "undecided"
