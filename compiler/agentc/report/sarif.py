"""Findings as SARIF 2.1.0, for code scanning. Columns count code points (`columnKind`), as ours do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from agentc_runtime import __version__

from ..diagnostics import Diagnostic, Edit, Rule, Span
from .findings import Report, disarmed, every

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(reports: Sequence[Report], rules: Mapping[str, Rule]) -> str:
    """One run over all reports, as ASCII. `rules` documents the codes; one that it lacks is named only."""
    findings = list(every(reports))
    codes = sorted({*rules, *(finding.code for _, finding in findings)})
    index = {code: number for number, code in enumerate(codes)}
    seen: dict[str, int] = {}
    results = [_result(report, finding, index[finding.code], seen) for report, finding in findings]
    driver = {
        "name": "agentc",
        "version": __version__,
        "rules": [_rule(code, rules.get(code)) for code in codes],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)
    return disarmed(text, "\\u005b") + "\n"


def _rule(code: str, rule: Rule | None) -> dict[str, object]:
    if rule is None:
        return {"id": code}
    markdown = (
        f"{rule.why}\n\nBad:\n\n{_fenced(rule.bad)}\n\nGood:\n\n{_fenced(rule.good)}\n\n"
        f"`agentc explain {code}` says the same."
    )
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.why, "markdown": markdown},
        "defaultConfiguration": {"level": "none" if rule.level == "ignore" else rule.level},
    }


def _fenced(text: str) -> str:
    return f"```yaml\n{text.rstrip()}\n```"


def _result(report: Report, finding: Diagnostic, rule: int, seen: dict[str, int]) -> dict[str, object]:
    text = finding.message if finding.help is None else f"{finding.message}\nhelp: {finding.help}"
    for note in finding.notes:
        if note.span is None:
            text += f"\nnote: {note.message}"
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(report, finding.span)}],
        "partialFingerprints": {"agentc/v1": _fingerprint(report, finding, seen)},
    }
    related = [
        {"id": number, "physicalLocation": _location(report, note.span), "message": {"text": note.message}}
        for number, note in enumerate(finding.notes)
        if note.span is not None
    ]
    if related:
        result["relatedLocations"] = related
    if finding.edits:
        result["fixes"] = [_fix(report, finding.help or finding.message, finding.edits)]
    return result


def _location(report: Report, span: Span) -> dict[str, object]:
    return {"artifactLocation": _artifact(report, span), "region": _region(span)}


def _artifact(report: Report, span: Span) -> dict[str, object]:
    return {"uri": quote(report.path(span.file), errors="replace"), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, object]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(report: Report, description: str, edits: Sequence[Edit]) -> dict[str, object]:
    changes: dict[str, dict[str, object]] = {}
    replacements: dict[str, list[object]] = {}
    for edit in edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        replacements.setdefault(edit.span.file, []).append(replacement)
        changes[edit.span.file] = {
            "artifactLocation": _artifact(report, edit.span),
            "replacements": replacements[edit.span.file],
        }
    return {"description": {"text": description}, "artifactChanges": list(changes.values())}


def _fingerprint(report: Report, finding: Diagnostic, seen: dict[str, int]) -> str:
    """Stays the same when lines are added above: from the code, the path, the message and the line's text.

    Equal ones are told apart by their order.
    """
    source = report.sources.get(finding.span.file)
    line = finding.span.line
    text = source.lines[line - 1].strip() if source and 1 <= line <= len(source.lines) else ""
    key = "\0".join((finding.code, report.path(finding.span.file), finding.message, text))
    number = seen[key] = seen.get(key, 0) + 1
    return hashlib.sha256(f"{key}\0{number}".encode(errors="replace")).hexdigest()[:32]
