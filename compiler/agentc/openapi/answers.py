"""Definitions of answers that many operations of one document share, converted once.

Nothing depends on which operations were compiled before: a kept definition is used only where converting it
again would give the very same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .problem import Pointer


class Kept(NamedTuple):
    """A definition as it was converted: its own name, those of the definitions that it refers to in order of
    their appearance, and how many parts it has."""

    name: str
    schema: dict[str, object] | bool
    needs: tuple[tuple[Pointer, str], ...]
    nodes: int


@dataclass(frozen=True)
class Answers:
    """What is kept for one document. `values` are the parts of a kept schema whose weight is asked for, by
    the schema's identity: schemas in `definitions` live as long as this does."""

    definitions: dict[Pointer, Kept] = field(default_factory=dict)
    values: dict[int, tuple[object, ...]] = field(default_factory=dict)
