"""A drift as text for people and as JSON for programs.

JSON: `document` (its path in the project), `source`, `drift` (true or false), `before` and `after` (`title`,
`version`, `sha256`), `same` (how many tools nothing touches), `elsewhere` (`added` and `removed` operations
that no tool uses), `tools` and `findings`. A tool has `tool`, `operation`, `request`, `status` (`changed`,
`renamed`, `removed`, `unusable`, `usable`), `changes` (each `part`, `name`, `what`, `before`, `after`),
`touches` (each `file`, `line`, `what`) and, as true or false, `shown` (models see something else), `sent`
(requests are built in another way) and `answered` (answers are others). `findings` are those of `validate`
after the update that are not there now, as its own JSON has them. New keys may be added; none is removed or
changes its meaning.
"""

from __future__ import annotations

import json

from ..drift import Drift, Version
from ..openapi.operation_changes import Change
from ..openapi.schema_changes import written_path
from ..tool_drift import ToolDrift, Touched
from . import render
from .findings import Report, visible

#: Changes of one tool that are shown as text; JSON has them all.
MAX_SHOWN = 40
_PARTS = {"argument": "argument", "answer": "answer", "request": "argument"}


def drift_as_text(drift: Drift, base: str, *, color: bool = False) -> str:
    """The drift, most severe first. `base` is the path to the project, put before each file's path."""
    report = Report(base, drift.findings, drift.files)
    lines = [_heading(drift), _summary(drift)]
    for tool in drift.tools:
        lines += ["", *_tool(tool, report)]
    text = "".join(f"{visible(line)}\n" for line in lines)
    if drift.findings:
        text += "\nAfter the update `agentc validate` says as well:\n\n" + render(
            "text", [report], color=color
        )
    return text


def drift_as_json(drift: Drift, base: str) -> str:
    """The same, for programs."""
    report = Report(base, drift.findings, drift.files)
    data = {
        "document": report.path(drift.path),
        "source": drift.source,
        "drift": drift.any,
        "before": drift.before._asdict(),
        "after": drift.after._asdict(),
        "same": drift.same,
        "elsewhere": {"added": drift.added, "removed": drift.removed},
        "tools": [_data(tool, report) for tool in drift.tools],
        "findings": json.loads(render("json", [report])),
    }
    return json.dumps(data, indent=2) + "\n"


def _heading(drift: Drift) -> str:
    before, after = _version(drift.before), _version(drift.after)
    if drift.before.sha256 == drift.after.sha256:
        return f"{before}: the same document, byte for byte"
    if drift.before.title == drift.after.title:
        after = drift.after.version[:120]
    same = drift.before[:2] == drift.after[:2]
    return f"{before}{'' if same else f' → {after}'}: {drift.source}"


def _version(version: Version) -> str:
    return f"{version.title} {version.version}".strip()[:120] or "untitled document"


def _summary(drift: Drift) -> str:
    elsewhere = [
        f"{_number(count, 'operation')} that no tool uses {'is' if count == 1 else 'are'} {word}"
        for count, word in ((drift.added, "new"), (drift.removed, "gone"))
        if count
    ]
    tools = len(drift.tools)
    touched = f"{tools} of {_number(tools + drift.same, 'tool')} touched" if tools else "no tool is touched"
    return "; ".join([touched, *elsewhere])


def _tool(tool: ToolDrift, report: Report) -> list[str]:
    lines = [f"{tool.tool}  {tool.request}  ({tool.operation})"]
    if tool.status == "usable":
        lines.append("  can be used now, and could not before")
    lines += [f"  {_sentence(change)}" for change in tool.changes[:MAX_SHOWN]]
    if len(tool.changes) > MAX_SHOWN:
        lines.append(f"  and {len(tool.changes) - MAX_SHOWN:,} more changes; `--format json` has them all")
    effects = [
        words
        for holds, words in (
            (tool.shown, "what models are shown"),
            (tool.sent, "how requests are built"),
            (tool.answered, "what answers hold"),
        )
        if holds
    ]
    if effects:
        lines.append(f"  changes {', '.join(effects)}")
    lines += [f"  named at {_place(touched, report)}: {touched.what}" for touched in tool.touched]
    return lines


def _sentence(change: Change) -> str:
    if change.part == "description":
        return f"the operation {change.what}"
    subject = _PARTS.get(change.part, "operation")
    if change.path:
        return f"{subject} `{written_path(change.path)}` {change.what}"
    return f"{subject if change.part == 'answer' else 'the operation'} {change.what}"


def _place(touched: Touched, report: Report) -> str:
    return f"{report.path(touched.span.file)}:{touched.span.line}"


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _data(tool: ToolDrift, report: Report) -> dict[str, object]:
    return {
        "tool": tool.tool,
        "operation": tool.operation,
        "request": tool.request,
        "status": tool.status,
        "changes": [
            {
                "part": change.part,
                "name": written_path(change.path),
                "what": change.what,
                "before": change.before,
                "after": change.after,
            }
            for change in tool.changes
        ],
        "touches": [
            {"file": report.path(one.span.file), "line": one.span.line, "what": one.what}
            for one in tool.touched
        ],
        "shown": tool.shown,
        "sent": tool.sent,
        "answered": tool.answered,
    }
