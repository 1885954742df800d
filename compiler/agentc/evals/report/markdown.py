"""The report of an eval as Markdown, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...transcript import shown
from ..evaluating import Evaluated
from ..outcome import Outcome
from ..summary import CaseResult, Rate

#: What means something in Markdown and in the HTML that it may hold; a mention would write to somebody.
_MEANS = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&-])")
#: Failed cases that are listed.
_MOST = 30


def render(evals: Sequence[Evaluated], baseline: Sequence[CaseResult] | None = None) -> str:
    """The gates first, then why cases fail, what changed since the baseline, and the figures."""
    return "\n".join(line for one in evals for line in _lines(one.outcome, baseline)) + "\n"


def _lines(outcome: Outcome, baseline: Sequence[CaseResult] | None) -> Iterator[str]:
    summary = outcome.summary
    verdict = "✅ passed" if outcome.passed else "❌ failed"
    yield f"### Eval {_text(outcome.eval)} of {_text(outcome.agent)}: {verdict}"
    yield ""
    for gate in outcome.gates:
        yield f"- {'✅' if gate.passed else '❌'} {_text(gate.message)}"
    yield ""
    if outcome.causes:
        yield "| cases | cause | such as |"
        yield "| ---: | --- | --- |"
        for cause in outcome.causes[:_MOST]:
            names = ", ".join(cause.cases[:3]) + (" …" if len(cause.cases) > 3 else "")
            yield f"| {len(cause.cases)} | {_text(shown(cause.cause, 240))} | {_text(names)} |"
        yield ""
    yield from _changes(outcome, baseline)
    yield "| | |"
    yield "| --- | --- |"
    yield f"| passed | {_rate(summary.pass_rate)} |"
    for tag, rate in summary.slices.items():
        yield f"| … {_text(tag)} | {_rate(rate)} |"
    yield f"| runs that succeeded | {_rate(summary.task_success_rate)} |"
    yield f"| latency | {summary.latency_p50:.2f} s p50, {summary.latency_p95:.2f} s p95 |"
    if summary.cost_per_success is not None:
        yield f"| cost of a passed case | ${summary.cost_per_success:.6f} |"
    for name in ("tools", "states", "branches", "guards"):
        covered = getattr(outcome.coverage, name)
        yield f"| {name} exercised | {covered.covered} of {covered.total} |"
    yield ""
    made_of = f"bundle `sha256:{outcome.bundle[:12]}`, cases `sha256:{outcome.dataset[:12]}`"
    yield f"Of {made_of}, model {outcome.model}, tools {outcome.tools}."
    yield ""


def _changes(outcome: Outcome, baseline: Sequence[CaseResult] | None) -> Iterator[str]:
    if baseline is None:
        return
    before = {case.id: case.passed for case in baseline}
    broke = [case.id for case in outcome.cases if case.passed < before.get(case.id, case.passed)]
    mended = [case.id for case in outcome.cases if case.passed > before.get(case.id, case.passed)]
    new = [case.id for case in outcome.cases if case.id not in before]
    for what, names in (("Broke", broke), ("Mended", mended), ("New", new)):
        if names:
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            yield f"{what} since the baseline: {_text(', '.join(names[:_MOST]))}{more}"
            yield ""


def _rate(rate: Rate) -> str:
    return f"{rate.value:.1%} of {rate.total} ({rate.low:.1%} to {rate.high:.1%})"


def _text(text: str) -> str:
    return _MEANS.sub(r"\\\1", " ".join(text.split()))
