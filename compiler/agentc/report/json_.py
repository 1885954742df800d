"""Findings as JSON: a list of objects, in source order, stable for programs.

Each object has: `code` (such as `AC401`), `level` (`error` or `warning`), `message`, `file` (path with `/`),
`line`, `column`, `end_line`, `end_column` (from 1, in characters, the end exclusive), `help` (text or null),
`notes` (a list of `message` with `file` and the four positions, null where a note has no place) and `fix`
(a list of edits, each `file`, the four positions and `text` to put there; empty without a fix that is safe).
New keys may be added; none is removed or changes its meaning. The text is ASCII.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..diagnostics import Diagnostic, Span
from .findings import Report, disarmed, every


def render(reports: Sequence[Report]) -> str:
    """The list, one finding an entry, indented."""
    text = json.dumps([_finding(report, finding) for report, finding in every(reports)], indent=2)
    return disarmed(text, "\\u005b") + "\n"


def _finding(report: Report, finding: Diagnostic) -> dict[str, object]:
    return {
        "code": finding.code,
        "level": finding.level,
        "message": finding.message,
        **_place(report, finding.span),
        "help": finding.help,
        "notes": [{"message": note.message, **_place(report, note.span)} for note in finding.notes],
        "fix": [{**_place(report, edit.span), "text": edit.text} for edit in finding.edits],
    }


def _place(report: Report, span: Span | None) -> dict[str, object]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    return {
        "file": report.path(span.file),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
