"""Findings as JUnit XML: a test suite a project, a failed test case an error, a passed one a clean file.

A warning is a passed test case with its text as output: in this format all that is not passed is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics import Diagnostic
from .findings import Report, count, disarmed, visible

#: What XML 1.0 (section 2.2) admits in no form, not even as a character reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Sequence[Report]) -> str:
    """The XML document."""
    suites = [line for report in reports for line in _suite(report)]
    counts = count(reports)
    cases = sum(line.startswith("    <testcase") for line in suites)
    head = f'<testsuites name="agentc" tests="{cases}" failures="{counts.errors}" errors="0">'
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"
    return disarmed(text, "&#91;")


def _suite(report: Report) -> list[str]:
    shown = report.shown()
    named = {finding.span.file for finding in shown}
    clean = [file for file in sorted(report.sources) if file not in named]
    errors = sum(finding.level == "error" for finding in shown)
    cases = [_case(report, finding) for finding in shown]
    cases += [
        f"    <testcase{_attributes(classname=report.path(file), name='no findings')}/>" for file in clean
    ]
    attributes = _attributes(name=report.base or ".", tests=str(len(cases)), failures=str(errors), errors="0")
    return [f"  <testsuite{attributes}>", *cases, "  </testsuite>"]


def _case(report: Report, finding: Diagnostic) -> str:
    span = finding.span
    path = report.path(span.file)
    name = f"{finding.code} {span.line}:{span.column}"
    case = f"    <testcase{_attributes(classname=path, name=name, file=path, line=str(span.line))}>"
    lines = [f"{path}:{span.line}:{span.column}: {finding.level}[{finding.code}]: {finding.message}"]
    for note in finding.notes:
        place = f" ({report.path(note.span.file)}:{note.span.line}:{note.span.column})" if note.span else ""
        lines.append(f"note: {note.message}{place}")
    if finding.help:
        lines.append(f"help: {finding.help}")
    body = _xml("\n".join(visible(line) for line in lines))
    if finding.level == "error":
        attributes = _attributes(message=finding.message, type=finding.code)
        return f"{case}\n      <failure{attributes}>{body}</failure>\n    </testcase>"
    return f"{case}\n      <system-out>{body}</system-out>\n    </testcase>"


def _attributes(**values: str) -> str:
    return "".join(f' {key}="{_xml(visible(value))}"' for key, value in values.items())


def _xml(text: str) -> str:
    text = _NOT_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", "&gt;").replace('"', "&quot;")
