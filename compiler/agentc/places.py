"""Positions of a source map as spans of the specs that they point into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentc_runtime.bundle import Position

from .diagnostics import Span

if TYPE_CHECKING:
    from .program import Program

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[\w.${}-]+")


def place(program: Program, position: Position) -> Span:
    """The word that stands at a position, or the character when there is none."""
    lines = next((one.file.lines for one in program.resources if one.file.path == position.file), [])
    return word_at(lines, position)


def word_at(lines: list[str], position: Position) -> Span:
    """The same among the lines of the position's file."""
    line, column = position.line, position.column
    found = _WORD.match(lines[line - 1], column - 1) if 1 <= line <= len(lines) else None
    width = len(found[0]) if found else 1
    return Span(position.file, line, column, line, column + width)
