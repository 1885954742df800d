"""What is drawn, before it is known how: boxes in four columns, and arrows between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: The columns, from left to right.
Column: TypeAlias = Literal["data", "state", "tool", "place"]


@dataclass(frozen=True)
class Box:
    """`lines`: the first is its name. `untrusted`: text that a stranger wrote may be in it."""

    key: str
    column: Column
    kind: str
    lines: tuple[str, ...]
    untrusted: bool = False
    private: bool = False


@dataclass(frozen=True)
class Arrow:
    """`broken` is the rule that what flows here breaks."""

    source: str
    target: str
    kind: Literal["next", "catch", "call", "reach", "read"]
    label: str = ""
    broken: str | None = None


@dataclass(frozen=True)
class Picture:
    """One agent. `findings` are those about its flows, as `CODE: message`, if they were `judged`."""

    title: str
    subtitle: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    findings: tuple[str, ...]
    judged: bool = True
