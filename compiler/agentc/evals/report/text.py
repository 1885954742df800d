"""The report of an eval for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...transcript import BOLD, DIM, GREEN, RED, YELLOW, paint, shown
from ..coverage import Covered
from ..evaluating import Evaluated
from ..outcome import Outcome
from ..summary import CaseResult, Rate

#: Failed cases that are shown whole.
_MOST = 20
#: Parts that no case exercises which are named.
_MISSING = 6


def render(evaluated: Evaluated, *, color: bool) -> str:
    """The figures, the failed cases with their reasons, and the gates."""
    return "".join(f"{line}\n" for line in _lines(evaluated.outcome, color))


def _lines(outcome: Outcome, color: bool) -> Iterator[str]:
    summary = outcome.summary
    head = paint(f"eval {outcome.eval}", BOLD, color=color)
    yield f"{head}  {outcome.agent} {outcome.agent_version}  sha256:{outcome.bundle[:12]}"
    yield paint(
        f"  model {outcome.model}, tools {outcome.tools}, environment {outcome.environment}, "
        f"{summary.cases} cases, {_times(outcome.repeats)}, cases sha256:{outcome.dataset[:12]}",
        DIM,
        color=color,
    )
    failed = [case for case in outcome.cases if case.passed < 1]
    for case in failed[:_MOST]:
        yield from _case(case, color)
    if len(failed) > _MOST:
        yield f"  and {len(failed) - _MOST} more cases that did not pass"
    for cause in outcome.causes:
        many = "1 case" if len(cause.cases) == 1 else f"{len(cause.cases)} cases"
        yield f"  {paint(many, BOLD, color=color)}: {shown(cause.cause, 300)}"
    yield f"  passed {_rate(summary.pass_rate)}"
    yield from _table("by tag", summary.slices)
    whole = [name for name, rate in summary.scorers.items() if rate.value == 1]
    yield from _table(
        "by scorer", {name: summary.scorers[name] for name in summary.scorers if name not in whole}
    )
    if whole:
        yield f"  always content: {', '.join(whole)}"
    yield (
        f"  runs that succeeded {_rate(summary.task_success_rate)}, "
        f"calls {_rate(summary.tool_success_rate)}, valid answers {_rate(summary.valid_output_rate)}"
    )
    if summary.ungrounded_rate.total:
        yield f"  ungrounded {_rate(summary.ungrounded_rate)}"
    times = f"{summary.latency_p50:.2f} s p50, {summary.latency_p95:.2f} s p95"
    yield f"  {times}, {summary.tokens:,.0f} tokens a run"
    if summary.cost_usd is not None:
        success = (
            "" if summary.cost_per_success is None else f", ${summary.cost_per_success:.6f} a passed case"
        )
        yield f"  ${summary.cost_usd:.6f} a run{success}"
    for name, rate in summary.agreement.items():
        yield f"  {name} agrees with people in {_rate(rate)}"
    if outcome.repeats > 1:
        flaky = ", ".join(summary.flaky) or "none"
        yield f"  flaky: {flaky}; variance within a case {summary.variance:.3g}"
    yield "  exercised"
    for name in ("tools", "states", "branches", "guards"):
        yield _covered(name, getattr(outcome.coverage, name))
    if summary.waiting:
        yield f"  not counted until a person accepts them: {len(summary.waiting)} cases"
    for gate in outcome.gates:
        mark = paint("✓", GREEN, color=color) if gate.passed else paint("✗", RED, color=color)
        yield f"{mark} {shown(gate.message, 400)}"
    yield paint("passed", GREEN, color=color) if outcome.passed else paint("failed", RED, color=color)


def _table(title: str, rates: Mapping[str, Rate]) -> Iterator[str]:
    if rates:
        yield f"  {title}"
        width = max(len(name) for name in rates)
        for name, rate in rates.items():
            yield f"    {name.ljust(width)}  {_rate(rate)}"


def _covered(name: str, covered: Covered) -> str:
    missing = ", ".join(covered.missing[:_MISSING])
    more = f" and {len(covered.missing) - _MISSING} more" if len(covered.missing) > _MISSING else ""
    return f"    {name.ljust(8)}  {covered.covered} of {covered.total}" + (
        f", not {missing}{more}" if missing else ""
    )


def _case(case: CaseResult, color: bool) -> Iterator[str]:
    how = case.status if case.status in ("stale", "broken") else "failed"
    if 0 < case.passed < 1:
        how = f"passed {case.passed:.0%} of {case.repeats}"
    tags = f"  {' '.join(case.tags)}" if case.tags else ""
    code = RED if case.counts else YELLOW
    yield f"{paint(f'✗ {case.id}', code, color=color)}  {how}{paint(tags, DIM, color=color)}"
    for reason in case.reasons:
        yield f"    {shown(reason, 500)}"


def _times(repeats: int) -> str:
    return "each once" if repeats == 1 else f"each {repeats} times"


def _rate(rate: Rate) -> str:
    return f"{rate.value:.1%} of {rate.total} ({rate.low:.1%} to {rate.high:.1%})"
