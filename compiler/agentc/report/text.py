"""Findings for people: the source line with the span underlined, notes on why, the help with the fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..diagnostics import Diagnostic, Span
from .findings import Report, count, disarmed, escaped, every, is_visible, visible

_TAB = 4
#: Columns of a source line that are shown. Longer lines are cut around the span.
_WIDTH = 120
_MARGIN = 20
_STYLES = {"error": "1;31", "warning": "1;33", "title": "1", "frame": "1;34", "help": "1;36"}
_PLAIN_LINE = re.compile(r"[ -~]*")

#: Text and the name of its style → what is printed.
Paint: TypeAlias = Callable[[str, str], str]


def render(reports: Sequence[Report], *, color: bool = False) -> str:
    """Every finding as a block of lines, then a summary line."""

    paint = painter(color)
    blocks = [_block(report, finding, paint) for report, finding in every(reports)]
    counts = count(reports)
    if not blocks:
        return paint(f"no findings in {_number(counts.checked, 'file')}", "title") + "\n"
    parts = [_number(counts.errors, "error")] if counts.errors else []
    parts += [_number(counts.warnings, "warning")] if counts.warnings else []
    summary = f"{', '.join(parts)} in {_number(counts.files, 'file')}"
    return disarmed("\n".join([*blocks, paint(summary, "title")]) + "\n", "\\x5b")


def painter(color: bool) -> Paint:
    """What puts text into a style, if there is `color`."""
    return lambda text, style: f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color else text


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _block(report: Report, finding: Diagnostic, paint: Paint) -> str:
    spans = [finding.span, *(note.span for note in finding.notes if note.span is not None)]
    gutter = len(str(max(span.line for span in spans)))
    level = finding.level
    lines = [
        f"{paint(f'{level}[{finding.code}]', level)}{paint(': ' + visible(finding.message), 'title')}",
        *snippet(report, finding.span, gutter, level, paint),
    ]
    for note in finding.notes:
        if note.span is None:
            lines += _labelled("note", note.message, gutter, paint)
        else:
            lines.append(f"{paint('note', 'help')}: {visible(note.message)}")
            lines += snippet(report, note.span, gutter, "frame", paint)
    if finding.help:
        lines += _labelled("help", finding.help, gutter, paint)
    return "\n".join(lines) + "\n"


def _labelled(label: str, text: str, gutter: int, paint: Paint) -> list[str]:
    """`= help: …`; further lines of the text stand below the first.

    Each begins with `=`: a line that begins with `::`, even after spaces, is a command to GitHub's runner.
    """
    first, *rest = text.split("\n")
    edge = f"{' ' * gutter} {paint('=', 'frame')} "
    indent = " " * (len(label) + 2)
    return [
        f"{edge}{paint(label, 'help')}: {visible(first)}",
        *(f"{edge}{indent}{visible(line)}" for line in rest),
    ]


def snippet(report: Report, span: Span, gutter: int, style: str, paint: Paint) -> list[str]:
    """The place, and the span's first line underlined as far as it goes; the place alone without a source."""
    place = f"{visible(report.path(span.file))}:{span.line}:{span.column}"
    arrow = f"{' ' * gutter}{paint('-->', 'frame')} {place}"
    source = report.sources.get(span.file)
    if source is None or not 1 <= span.line <= len(source.lines):
        return [arrow]
    line = source.lines[span.line - 1]
    more = span.end_line > span.line
    end = len(line) + 1 if more else span.end_column
    shown, before, width = _marked(line, span.column, end)
    label = f" to line {span.end_line}" if more else ""
    bar = paint("|", "frame")
    edge = f"{' ' * gutter} {bar}"
    number = paint(f"{span.line:>{gutter}}", "frame")
    return [
        arrow,
        edge,
        f"{number} {bar} {shown}".rstrip(),
        f"{edge} {' ' * before}{paint('^' * width + label, style)}",
    ]


def _marked(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The line as shown, the columns before the marks, and the number of marks (one at least).

    `start` and `end` are columns in characters, from 1, the end exclusive.
    """
    first = min(start - 1, len(line))
    last = max(first, min(end - 1, len(line)))
    low = max(0, first - 2 * _WIDTH)  # a line can have millions of characters: only those near are looked at
    cells = _cells(line[low : first + 2 * _WIDTH], first - low)
    cut = low > 0 or first + 2 * _WIDTH < len(line)
    before = sum(width for _, width in cells[: first - low])
    marks = max(1, sum(width for _, width in cells[first - low : last - low]))
    if not cut and sum(width for _, width in cells) <= _WIDTH:
        return "".join(text for text, _ in cells), before, marks
    begin = max(0, before - _MARGIN)
    shown, skipped, rest = _window(cells, begin, begin + _WIDTH)
    head = "…" if low > 0 or skipped else ""
    tail = "…" if rest or first + 2 * _WIDTH < len(line) else ""
    return head + shown + tail, before - skipped + len(head), min(marks, _WIDTH + skipped - before)


def _window(cells: list[tuple[str, int]], begin: int, end: int) -> tuple[str, int, bool]:
    """The cells between two columns, the columns left out before them, and whether some are after them."""
    shown: list[str] = []
    skipped = 0
    column = 0
    for text, width in cells:
        if column < begin:
            skipped += width
        elif column + width > end:
            return "".join(shown), skipped, True
        else:
            shown.append(text)
        column += width
    return "".join(shown), skipped, False


def _cells(line: str, first: int) -> list[tuple[str, int]]:
    """Each character as it is shown, with the columns that it takes. Tabs go to the next stop."""
    if _PLAIN_LINE.fullmatch(line):
        return [(character, 1) for character in line]
    import unicodedata

    cells: list[tuple[str, int]] = []
    column = 0
    for index, character in enumerate(line):
        if character == "\t":
            width = _TAB - column % _TAB
            text = " " * width
        elif not is_visible(character):
            text = escaped(character)
            width = len(text)
        elif unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            # a mark on nothing, or on the frame, would move the underline
            text, width = (character, 0) if index not in (0, first) else (f" {character}", 1)
        else:
            text, width = character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
        cells.append((text, width))
        column += width
    return cells
