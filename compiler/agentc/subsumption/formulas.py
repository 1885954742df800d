"""Schemas as formulas: what a value has to satisfy, with negation pushed down to single conditions.

A condition is about one kind of value and is met by all others, as a keyword of JSON Schema is. Its negation
is met by no other kind. Equal formulas are one object (`arena.py`), so that comparing two schemas starts
with `is`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from .values import Key, Number


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number of at least `value`, or over it."""

    value: Number
    over: bool


@dataclass(frozen=True, slots=True)
class AtMost:
    """A number of at most `value`, or under it."""

    value: Number
    under: bool


@dataclass(frozen=True, slots=True)
class MultipleOf:
    """A multiple of a positive number; of 1, an integer."""

    step: Number


@dataclass(frozen=True, slots=True)
class SizeAtLeast:
    """Code points of a string, items of an array, properties of an object."""

    size: int


@dataclass(frozen=True, slots=True)
class SizeAtMost:
    """As `SizeAtLeast`."""

    size: int


@dataclass(frozen=True, slots=True)
class Matches:
    """A string in which the pattern is found."""

    pattern: str


@dataclass(frozen=True, slots=True)
class HasFormat:
    """A string of a format."""

    name: str


@dataclass(frozen=True, slots=True)
class Unique:
    """An array with no item twice."""


@dataclass(frozen=True, slots=True)
class Items:
    """Every item from index `first` up to, not including, `end` satisfies `each`."""

    first: int
    end: int | None
    each: Node


@dataclass(frozen=True, slots=True)
class Members:
    """Every property whose name satisfies `names` has a value that satisfies `each`."""

    names: Node
    each: Node


@dataclass(frozen=True, slots=True)
class Listed:
    """One of these values, all of one kind."""

    keys: frozenset[Key]
    values: Mapping[Key, object] = field(compare=False, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Opaque:
    """What is not understood: only the same text elsewhere is known to mean the same."""

    text: bytes
    reason: str = field(compare=False, hash=False)


Atom: TypeAlias = (
    AtLeast
    | AtMost
    | MultipleOf
    | SizeAtLeast
    | SizeAtMost
    | Matches
    | HasFormat
    | Unique
    | Items
    | Members
    | Listed
    | Opaque
)


@dataclass(frozen=True, eq=False, slots=True)
class Constant:
    """Every value, or none."""

    value: bool


@dataclass(frozen=True, eq=False, slots=True)
class Kinds:
    """Values of the kinds in `mask`."""

    mask: int


@dataclass(frozen=True, eq=False, slots=True)
class Literal:
    """`positive`: a value of another kind, or `atom` holds. Else: a value of the kind, and it does not."""

    kind: int
    atom: Atom
    positive: bool


@dataclass(frozen=True, eq=False, slots=True)
class And:
    """All of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Or:
    """One of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Link:
    """What a reference leads to, or its negation; read when it is needed."""

    target: bytes
    positive: bool


Node: TypeAlias = Constant | Kinds | Literal | And | Or | Link
TRUE: Final = Constant(value=True)
FALSE: Final = Constant(value=False)


def listed_names(names: Node) -> list[str] | None:
    """The names of properties that a condition on names lists; `None` when it is of another form."""
    match names:
        case Literal(atom=Listed() as listed, positive=True):
            return [str(name) for name in listed.values]
        case _:
            return None


def has_opaque(node: Node) -> bool:
    """Whether anything that is not understood is part of a formula without links."""
    match node:
        case Literal(atom=Opaque()):
            return True
        case And(parts) | Or(parts):
            return any(has_opaque(part) for part in parts)
        case _:
            return False
