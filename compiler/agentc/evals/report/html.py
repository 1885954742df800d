"""The report of an eval as one page that needs nothing else: plots, causes, and every run's transcript.

Everything that came from a run is escaped, and the page's policy lets it load and run nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape

from ..evaluating import Evaluated
from ..observation import Call, Observation, Trial
from ..outcome import Outcome
from ..summary import Rate

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #2a8a4a; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
code, pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); padding: .35rem 0; } summary { cursor: pointer; }
.good { color: var(--good); } .bad { color: var(--bad); } .dim { opacity: .65; }
.call { border-left: 3px solid var(--line); margin: .3rem 0; padding-left: .7rem; }
.refused { border-color: var(--bad); } svg { vertical-align: middle; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WIDTH = 260


def render(evaluated: Evaluated) -> str:
    """The page."""
    outcome = evaluated.outcome
    title = f"Eval {outcome.eval} of {outcome.agent}"
    body = "\n".join(_body(outcome, evaluated.trials))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _body(outcome: Outcome, trials: tuple[Trial, ...]) -> Iterator[str]:
    summary = outcome.summary
    kind, verdict = ("good", "passed") if outcome.passed else ("bad", "failed")
    yield f'<h1>{escape(outcome.eval)} <span class="{kind}">{verdict}</span></h1>'
    yield (
        f'<p class="dim">{escape(outcome.agent)} {escape(outcome.agent_version)}, bundle '
        f"<code>sha256:{outcome.bundle}</code>, cases <code>sha256:{outcome.dataset}</code>, "
        f"model {outcome.model}, tools {outcome.tools}, environment {escape(outcome.environment)}</p>"
    )
    yield "<h2>Gates</h2><ul>"
    for gate in outcome.gates:
        yield f'<li class="{"good" if gate.passed else "bad"}">{escape(gate.message)}</li>'
    yield "</ul>"
    if outcome.causes:
        yield "<h2>Why cases fail</h2><table><tr><th>cases<th>cause<th>which"
        for cause in outcome.causes:
            links = ", ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in cause.cases)
            yield f"<tr><td>{len(cause.cases)}<td>{escape(cause.cause)}<td>{links}"
        yield "</table>"
    yield "<h2>Pass rates</h2>"
    yield from _plot({"all": summary.pass_rate, **summary.slices})
    yield "<h2>Scorers</h2>"
    yield from _plot(summary.scorers)
    yield "<h2>Figures</h2><table>"
    for name, value in _figures(outcome):
        yield f"<tr><td>{name}<td>{escape(value)}"
    yield "</table>"
    yield from _histogram("Latency of runs, in seconds", [one.observation.seconds for one in trials])
    yield "<h2>Exercised</h2><table>"
    for name in ("tools", "states", "branches", "guards"):
        covered = getattr(outcome.coverage, name)
        missing = ", ".join(covered.missing) or "nothing is missing"
        yield f"<tr><td>{name}<td>{covered.covered} of {covered.total}<td>{escape(missing)}"
    yield "</table><h2>Cases</h2>"
    for trial in trials:
        yield from _trial(trial)


def _figures(outcome: Outcome) -> Iterator[tuple[str, str]]:
    summary = outcome.summary
    yield "runs that succeeded", _said(summary.task_success_rate)
    yield "calls that were answered", _said(summary.tool_success_rate)
    yield "answers in their form", _said(summary.valid_output_rate)
    yield "ungrounded", _said(summary.ungrounded_rate)
    yield "violations of policy", str(summary.violations)
    yield "latency", f"{summary.latency_p50:.3f} s p50, {summary.latency_p95:.3f} s p95"
    yield "tokens of a run", f"{summary.tokens:,.0f}"
    if summary.cost_usd is not None:
        yield "cost of a run", f"${summary.cost_usd:.6f}"
    if summary.cost_per_success is not None:
        yield "cost of a passed case", f"${summary.cost_per_success:.6f}"
    yield "flaky", ", ".join(summary.flaky) or "none"
    yield "variance within a case", f"{summary.variance:.4g}"


def _said(rate: Rate) -> str:
    return f"{rate.value:.1%} of {rate.total} ({rate.low:.1%} to {rate.high:.1%})"


def _plot(rates: Mapping[str, Rate]) -> Iterator[str]:
    """A bar for each rate, with its interval as a line."""
    yield "<table>"
    for name, rate in rates.items():
        low, high, value = (round(share * _WIDTH) for share in (rate.low, rate.high, rate.value))
        color = "var(--good)" if rate.value == 1 else "var(--bad)"
        yield (
            f'<tr><td>{escape(name)}<td><svg width="{_WIDTH}" height="14" role="img">'
            f'<rect width="{_WIDTH}" height="14" fill="var(--line)"/>'
            f'<rect width="{value}" height="14" fill="{color}" opacity=".55"/>'
            f'<path d="M{low} 7H{high}M{low} 3V11M{high} 3V11" stroke="currentColor"/></svg>'
            f"<td>{_said(rate)}"
        )
    yield "</table>"


def _histogram(title: str, values: list[float]) -> Iterator[str]:
    if len(values) < 2 or max(values) == min(values):
        return
    low, high, bins = min(values), max(values), 20
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    most = max(counts)
    bars = "".join(
        f'<rect x="{at * 20}" y="{80 - count * 80 // most}" width="18" height="{count * 80 // most}" '
        f'fill="currentColor" opacity=".5"><title>{count}</title></rect>'
        for at, count in enumerate(counts)
    )
    yield f'<h2>{title}</h2><svg width="{bins * 20}" height="80" role="img">{bars}</svg>'
    yield f'<p class="dim">{low:.3f} to {high:.3f}</p>'


def _trial(trial: Trial) -> Iterator[str]:
    run = trial.observation
    name = trial.case if trial.repeat == 0 else f"{trial.case} #{trial.repeat + 1}"
    anchor = f' id="{escape(trial.case)}"' if trial.repeat == 0 else ""
    mark = '<span class="good">✓</span>' if trial.passed else '<span class="bad">✗</span>'
    more = f'<span class="dim">{escape(" ".join(trial.tags))} {run.status}</span>'
    opened = "" if trial.passed else " open"
    yield f"<details{anchor}{opened}><summary>{mark} {escape(name)} {more}</summary>"
    if run.problem:
        yield f'<p class="bad">{escape(run.problem)}</p>'
    yield "<table>"
    for score in trial.scores:
        kind = "good" if score.passed else "bad" if score.required else "dim"
        yield f'<tr><td class="{kind}">{escape(score.scorer)}<td>{score.value:.2f}<td>{escape(score.reason)}'
    yield "</table>"
    yield from _transcript(run)
    yield "</details>"


def _transcript(run: Observation) -> Iterator[str]:
    yield f'<p class="dim">{escape(" → ".join(visit.state for visit in run.visits))}</p>'
    for turn in run.turns:
        cost = f", ${turn.cost_usd}" if turn.cost_usd else ""
        yield (
            f'<div><span class="dim">{escape(turn.state)}: {escape(turn.model)}, {turn.input} tokens in, '
            f"{turn.output} out{cost}</span><pre>{escape(turn.text)}</pre></div>"
        )
    for call in run.calls:
        yield _call(call)
    if run.rule:
        yield f'<p class="bad">{escape(run.rule)} {escape(run.message)} {escape(run.at)}</p>'
    yield f"<pre>{escape(_json(run.output))}</pre>"


def _call(call: Call) -> str:
    if call.rule:
        said = f'<span class="bad">{escape(call.rule)} {escape(call.message)} {escape(call.at)}</span>'
    else:
        said = f"{call.status} {escape(call.trust)}, {escape(call.sensitivity)} {escape(_json(call.answer))}"
    person = " · a person agreed" if call.approved else " · a person was asked" if call.asked else ""
    return (
        f'<div class="call{" refused" if call.rule else ""}"><code>{escape(call.tool)} '
        f"{escape(_json(call.arguments))}</code>{person}<br><code>{said}</code></div>"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
