"""Change the text of a spec at the places of its nodes, and leave every other byte as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .diagnostics import Edit, Span
from .source import Map, Sequence, SourceFile

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class EditError(Exception):
    """A file can't be changed in place. The message is one line and says why."""


class Text:
    """The text of a file, by lines and columns as spans count them.

    Raises:
        EditError: the file is not UTF-8: writing it again would lose what can't be read.
    """

    def __init__(self, source: SourceFile) -> None:
        try:
            text = source.data.decode()
        except UnicodeDecodeError as error:
            raise EditError(f"`{source.path}` is not UTF-8: save it as UTF-8 first") from error
        self._path = source.path
        self._mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.lines: list[str] = _LINE.findall(text.removeprefix(self._mark))

    def line(self, number: int) -> str:
        """A line without its end; lines count from 1. Empty behind the last one."""
        return self.lines[number - 1].rstrip("\r\n") if 0 < number <= len(self.lines) else ""

    def between(self, span: Span) -> str:
        """The text of a span."""
        if span.line == span.end_line:
            return self.line(span.line)[span.column - 1 : span.end_column - 1]
        middle = (self.line(number) for number in range(span.line + 1, span.end_line))
        first, last = self.line(span.line)[span.column - 1 :], self.line(span.end_line)[: span.end_column - 1]
        return "\n".join([first, *middle, last])

    def is_flow(self, node: Map | Sequence) -> bool:
        """Whether a collection is written with brackets."""
        return self.line(node.span.line)[node.span.column - 1 :].startswith(("{", "["))

    def whole_lines(self, first: int, last: int) -> Span:
        """The span of whole lines, the end of the last one included."""
        return Span(self._path, first, 1, last + 1, 1)

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The file with spans replaced. What is put at one place stands in the order of `edits`.

        A line break in what is put becomes the file's own. Spans don't overlap.
        """
        lines = [*self.lines]
        ending = next(filter(None, map(_ending, lines)), "\n")
        ordered = sorted(enumerate(edits), key=lambda one: (one[1].span[1:3], one[0]), reverse=True)
        # What comes behind a last line without an end leaves the file without one as well.
        behind = (
            len(lines) > 1
            and not _ending(lines[-2])
            and any(one[1].span.line == len(lines) for one in ordered)
        )
        if behind:
            lines[-2] += ending
        for _, (span, put) in ordered:
            new = put.replace("\n", ending)
            head, tail = lines[span.line - 1], lines[span.end_line - 1]
            changed = head[: span.column - 1] + new + tail[span.end_column - 1 :]
            lines[span.line - 1 : span.end_line] = [changed]
        text = "".join(lines)
        return (self._mark + (text.removesuffix(ending) if behind else text)).encode()


def write_specs(root: Path, changed: Mapping[str, SourceFile]) -> None:
    """Write spec files, each in one step: whatever happens, each is as it was or as it shall be.

    Raises:
        EditError: one can't be written.
    """
    for path, file in changed.items():
        target = (root / path).resolve()  # what a link leads to is written, and the link stays
        staging = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            staging.write_bytes(file.data)
            staging.chmod(target.stat().st_mode)
            staging.replace(target)
        except OSError as error:
            staging.unlink(missing_ok=True)
            raise EditError(f"can't write `{path}`: {error.strerror}") from error


def before(span: Span) -> Span:
    """The place where a span begins."""
    return Span(span.file, span.line, span.column, span.line, span.column)


def after(span: Span) -> Span:
    """The place where a span ends."""
    return Span(span.file, span.end_line, span.end_column, span.end_line, span.end_column)


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
