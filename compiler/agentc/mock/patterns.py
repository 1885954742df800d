"""A text that a simple regular expression matches: classes, groups, alternatives, counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_CLASSES: Final = {"d": "0123456789", "w": "abcdefgh", "s": " ", "D": "a", "W": "-", "S": "a"}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_MOST: Final = 64


class _UnknownError(Exception):
    """A construct that is not read here."""


def text_of(pattern: str, draw: Callable[[int], int]) -> str | None:
    """A text that `pattern` is meant to match, `None` when it uses what is not read here.

    `draw` chooses: it gives a number below its argument. The text is short; nobody promises that it matches.
    """
    if len(pattern) > 500:
        return None
    reader = _Reader(pattern, draw)
    try:
        text = reader.alternatives(0)
    except (_UnknownError, IndexError, ValueError):
        return None
    return text if reader.at == len(pattern) else None


class _Reader:
    def __init__(self, pattern: str, draw: Callable[[int], int]) -> None:
        self._pattern = pattern
        self._draw = draw
        self.at = 0

    def alternatives(self, depth: int) -> str:
        """The first alternative that stands here."""
        if depth > 20:
            raise _UnknownError
        found = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            found.append(self._sequence(depth))
        return found[0]

    def _peek(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _next(self) -> str:
        sign = self._pattern[self.at]
        self.at += 1
        return sign

    def _sequence(self, depth: int) -> str:
        text = ""
        while self._peek() not in ("", "|", ")"):
            sign = self._next()
            if sign in "^$":
                continue
            if sign == "(":
                if self._pattern.startswith("?:", self.at):
                    self.at += 2
                elif self._peek() == "?":
                    raise _UnknownError
                choices = [self.alternatives(depth + 1)]
                if self._next() != ")":
                    raise _UnknownError
            elif sign == "[":
                choices = list(self._set())
            elif sign == "\\":
                choices = list(self._escape())
            else:
                choices = ["a"] if sign == "." else [sign]
            count = min(self._count(), _MOST)
            text += "".join(choices[self._draw(len(choices))] for _ in range(count))
        return text[: _MOST * 16]

    def _escape(self) -> str:
        sign = self._next()
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign.isalnum():
            raise _UnknownError
        return sign

    def _set(self) -> str:
        if self._peek() == "^":
            raise _UnknownError
        members = ""
        while self._peek() != "]":
            sign = self._next()
            first = self._escape() if sign == "\\" else sign
            if self._peek() == "-" and self._pattern[self.at + 1] != "]" and len(first) == 1:
                self.at += 1
                last = self._next()
                last = self._escape() if last == "\\" else last
                span = range(ord(first), min(ord(last), ord(first) + 25) + 1)
                members += "".join(map(chr, span))
            else:
                members += first
        self.at += 1
        return members

    def _count(self) -> int:
        """The least count that the quantifier here allows, but once rather than never."""
        sign = self._peek()
        count = 1
        if sign in ("*", "+", "?") and sign:
            self.at += 1
        elif sign == "{":
            end = self._pattern.index("}", self.at)
            least, _, most = self._pattern[self.at + 1 : end].partition(",")
            count = (
                max(int(least or 0), 0 if most == "0" else 1)
                if "," in self._pattern[self.at : end]
                else int(least)
            )
            self.at = end + 1
        else:
            return 1
        if self._peek() == "?":
            self.at += 1
        return count
