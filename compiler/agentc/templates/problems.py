"""What is wrong with a template and where. Jinja keeps only lines, so columns are found again in the text."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

#: Characters of a line that are searched, and matches that are looked at.
_SEARCHED: Final = 10_000
_TRIED: Final = 50


class TemplateProblem(NamedTuple):
    """One finding: AC304 syntax, AC305 construct outside the subset, AC306 undeclared name, AC310 wrong type.

    AC110 is an included file that can't be read: its name stands for the message, the reader knows why.
    Lines and columns count from 1 in the template's own text; the end is exclusive. `file` is the name by
    which the text was included, `None` for the template itself.
    """

    code: str
    message: str
    line: int
    column: int
    end_column: int
    help: str | None = None
    file: str | None = None


class Place(NamedTuple):
    """A stretch of one line of a template."""

    line: int
    column: int
    end_column: int


def find(lines: list[str], line: int, pattern: str) -> Place:
    """Where `pattern` matches on a line: inside a tag if it does anywhere, else the first match.

    Without a match it is the whole line. A line beyond the end is the last one. Of a very long line only
    the start is searched, so that no text makes this slow.
    """
    line = min(max(line, 1), len(lines))
    text = lines[line - 1]
    first = None
    for match in islice(re.finditer(pattern, text[:_SEARCHED]), _TRIED):
        first = first or match
        if _in_tag(text, match.start()):
            first = match
            break
    if first is not None:
        return Place(line, first.start() + 1, max(first.end(), first.start() + 1) + 1)
    start = len(text) - len(text.lstrip())
    return Place(line, start + 1, max(len(text.rstrip()), start + 1) + 1)


def _in_tag(text: str, at: int) -> bool:
    opened = max(text.rfind("{{", 0, at), text.rfind("{%", 0, at))
    return opened > max(text.rfind("}}", 0, at), text.rfind("%}", 0, at))


def name_pattern(name: str) -> str:
    """A whole name or keyword."""
    return rf"(?<![\w.]){re.escape(name)}(?!\w)"


def path_pattern(path: tuple[str, ...]) -> str:
    """A path as an author may write it: `a.b`, `a['b']`, with spaces or without."""
    first, *rest = path
    steps = "".join(
        rf"\s*(?:\.\s*{re.escape(step)}(?!\w)|\[\s*(['\"]){re.escape(step)}\{index}\s*\])"
        for index, step in enumerate(rest, 1)
    )
    return rf"(?<![\w.]){re.escape(first)}(?!\w){steps}"
