"""Findings as workflow commands of GitHub Actions, which shows them on the lines of a pull request.

GitHub shows ten errors and ten warnings a step, so errors come first. A key in a spec may hold `::error` or a
line break: every value is escaped, so that a file can't give commands.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics import Diagnostic
from .findings import Report, every, visible


def render(reports: Sequence[Report]) -> str:
    """One command a line; nothing without findings."""
    findings = sorted(every(reports), key=lambda pair: pair[1].level != "error")
    return "".join(f"{_command(report, finding)}\n" for report, finding in findings)


def _command(report: Report, finding: Diagnostic) -> str:
    span = finding.span
    properties = {"file": report.path(span.file), "line": str(span.line)}
    if span.end_line == span.line:  # GitHub takes columns of a single line only
        properties |= {"col": str(span.column), "endColumn": str(max(span.column, span.end_column - 1))}
    else:
        properties["endLine"] = str(span.end_line)
    properties["title"] = finding.code
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    lines = [finding.message, *(f"note: {note.message}" for note in finding.notes if note.span is None)]
    if finding.help:
        lines.append(f"help: {finding.help}")
    text = "%0A".join(_data(line) for line in lines)
    return f"::{finding.level} {listed}::{text}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
