"""The answer for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.quoting import shortened
from agentc_runtime.refusals import RULES

from ..access import Verdict
from ..grant_words import request_line, verb_of
from ..places import word_at
from ..report.findings import Report, visible
from ..report.text import Paint, snippet
from .explain import Answer, Why

#: Characters of arguments that are shown.
SHOWN = 1000
#: What becomes of a call, and what would have to change.
Remedy = Callable[[Verdict], str]


def as_text(why: Why, program: ir.Program, report: Report, remedy: Remedy, paint: Paint) -> str:
    """All of it. `report` holds the sources; without them places are named and not shown."""
    lines = list(_head(why, program))
    for answer in why.answers:
        lines += ["", *_answer(answer, report, remedy, paint)]
    if why.limits:
        lines += ["", "What it allows:", *(visible(f"  {line}") for line in why.limits)]
    if why.examples:
        lines += ["", "Calls at its edges:"]
    for one in why.examples:
        lines.append(visible(f"  {_outcome(one.verdict):<14}{_json(one.arguments)}{_short(one.verdict)}"))
    if why.assumed and (why.answers or why.examples):
        made_up = ", ".join(f"{path} = {json.dumps(value)}" for path, value in sorted(why.assumed.items()))
        lines += ["", visible(f"Made up, since no --input or --session says otherwise: {made_up}")]
    return "\n".join(lines) + "\n"


def _head(why: Why, program: ir.Program) -> Iterator[str]:
    agent = f"{why.agent.name} {why.agent.version}"
    if not why.granted:
        yield visible(f"{agent} may not call {why.tool}")
        return
    tool = program.tools[why.tool]
    states = ", ".join(why.states) if why.states else "no state"
    yield visible(f"{agent} may call {why.tool} in {states}")
    yield visible(f"  {verb_of(tool)}  {request_line(tool)}")


def _answer(answer: Answer, report: Report, remedy: Remedy, paint: Paint) -> Iterator[str]:
    verdict = answer.verdict
    style = {"allowed": "help", "asks": "warning", "refused": "error"}[verdict.outcome]
    outcome = paint(_outcome(verdict), style)
    where = f"in {', '.join(answer.states)}"
    if verdict.code not in ("AR101", "AR102"):
        where += f", {_after(answer.read)}"
    yield f"{visible(where)}: {outcome}" + (f", {RULES[verdict.code].title}" if verdict.code else "")
    if verdict.code != "AR102":
        given = shortened(answer.arguments, SHOWN)
        yield visible(f"  {given if verdict.code != 'AR101' else verdict.message}")
    if verdict.message and verdict.code not in ("AR101", "AR102"):
        yield visible(f"  {verdict.message}")
    for reason in verdict.reasons:
        yield visible(f"  {reason}")
    if verdict.outcome == "asks":
        yield visible(f"  {' or '.join(verdict.by) or 'anybody'} may agree")
    for at in dict.fromkeys(verdict.at):
        yield from _place(at, report, paint)
    if answer.otherwise is not None and answer.then is not None:
        label = {"allowed": "nearest that is allowed", "asks": "nearest that is not refused, but asks"}
        yield visible(f"  {label[answer.then.outcome]}: {_json(answer.otherwise)}")
    change = remedy(verdict)
    if change:
        yield visible(f"  to change it: {change}")


def _place(at: ir.Position, report: Report, paint: Paint) -> Iterator[str]:
    source = report.sources.get(at.file)
    span = word_at(source.lines if source is not None else [], at)
    for line in snippet(report, span, len(str(at.line)), "frame", paint):
        yield f"  {line}"


def _after(read: labels.Label) -> str:
    if read.trust == "trusted":
        return "nothing untrusted read"
    what = "untrusted content" if read.trust == "untrusted" else "values of untrusted origin"
    return f"after {read.sensitivity} {what} was read"


def _outcome(verdict: Verdict) -> str:
    return f"refused {verdict.code}" if verdict.code else verdict.outcome


def _short(verdict: Verdict) -> str:
    said = verdict.message or "; ".join(verdict.reasons)
    return f"  {said}" if said else ""


def _json(arguments: Mapping[str, object]) -> str:
    return json.dumps(dict(arguments), ensure_ascii=False)
