"""What many operations of one document share, worked out once.

Nothing depends on which operations were compiled before: what is kept is used only where working it out again
would give the very same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from agentc_runtime.expressions import Schema

from .problem import PARTS, Pointer

#: Where a pointer means the same text for every operation: of a path, each has a slice of its own.
_STEADY: Final = frozenset({"components", "definitions", PARTS})


class Kept(NamedTuple):
    """A definition as it was converted: its own name, those of the definitions that it refers to in order of
    their appearance, and how many parts it has."""

    name: str
    schema: dict[str, object] | bool
    needs: tuple[tuple[Pointer, str], ...]
    nodes: int


@dataclass(frozen=True)
class Shared:
    """What is kept for one document. `answers` are whole schemas of answers by what they refer to, `links`
    are where the references of a component lead. `values` are the parts of a kept definition whose weight is
    asked for, by its identity: definitions live as long as this does."""

    definitions: dict[Pointer, Kept] = field(default_factory=dict)
    answers: dict[Pointer, Schema] = field(default_factory=dict)
    links: dict[Pointer, tuple[Pointer, ...]] = field(default_factory=dict)
    values: dict[int, tuple[object, ...]] = field(default_factory=dict)


def is_steady(pointer: Pointer) -> bool:
    """Whether a pointer means the same for every operation of a document."""
    return pointer[:1] != () and pointer[0] in _STEADY
