"""What a pattern says, as a tree: ECMA's regular expressions without what is not regular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Tree: TypeAlias = "Characters | Dot | Start | End | Sequence | Alternatives | Repeat"


@dataclass(frozen=True, slots=True)
class Characters:
    """One character: of the ranges (first and last code point) or of the classes (`\\d`, `\\p{Lu}`)."""

    ranges: tuple[tuple[int, int], ...]
    classes: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """One character that ends no line, as the matcher at hand counts line ends."""


@dataclass(frozen=True, slots=True)
class Start:
    """The place before the first character."""


@dataclass(frozen=True, slots=True)
class End:
    """The place after the last character."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty, it is the empty text."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Any one of at least two."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`part` at least `least` times and at most `most` times, `None` being without end."""

    part: Tree
    least: int
    most: int | None
