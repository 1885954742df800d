"""The objectives of an agent as PromQL over the metrics that runs really have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from agentc_runtime.telemetry import names

from ..syntax.agent import SlosSpec
from ..syntax.common import milliseconds

_STATUS = names.label(names.RUN_STATUS)
_OUTCOME = names.label(names.OUTCOME)
_RUNS = f"{names.RUN_DURATION.exposed}_count"
#: How far back the average goes that an eval is compared with, and how old its last run may be.
_USUAL, _LATEST = "30d", "7d"


@dataclass(frozen=True)
class Objective:
    """One number that is measured, and what it has to be.

    `key` is its path in `slos`, `alert` the name of the alert. `expression` is PromQL; the objective is met
    while it is not `beyond` the `target`.
    """

    key: str
    alert: str
    title: str
    expression: str
    beyond: Literal["<", ">"]
    target: str
    said: str


def selector(agent: str, *more: str) -> str:
    """The labels of an agent's series, with matchers of more labels."""
    return ",".join((f'{names.label(names.AGENT_NAME)}="{agent}"', *more))


def ratio(part: str, whole: str) -> str:
    """A share of two sums. A part that has no series yet is 0: nothing would be no alert."""
    return f"(sum({part}) or vector(0)) / sum({whole})"


def quantile(share: str, metric: names.Metric, labels: str, window: str) -> str:
    """A quantile of a histogram."""
    buckets = f"rate({metric.exposed}_bucket{{{labels}}}[{window}])"
    return f"histogram_quantile({share}, sum by (le) ({buckets}))"


def run_success(labels: str, window: str) -> str:
    """The share of runs that succeed."""
    good = f'{labels},{_STATUS}="succeeded"'
    return ratio(f"rate({_RUNS}{{{good}}}[{window}])", f"rate({_RUNS}{{{labels}}}[{window}])")


def calls(outcomes: str, of: str, labels: str, window: str) -> str:
    """The share of tool calls that come out in one of `outcomes`, of those that come out in one of `of`."""
    metric = names.TOOL_CALLS.exposed
    part = f'rate({metric}{{{labels},{_OUTCOME}=~"{outcomes}"}}[{window}])'
    return ratio(part, f'rate({metric}{{{labels},{_OUTCOME}=~"{of}"}}[{window}])')


def valid_output(labels: str, window: str) -> str:
    """The share of structured answers that fit."""
    metric = names.OUTPUT_CHECKS.exposed
    good = f'{labels},{names.label(names.VALID)}="true"'
    return ratio(f"rate({metric}{{{good}}}[{window}])", f"rate({metric}{{{labels}}}[{window}])")


def waiting(labels: str) -> str:
    """Approvals that nobody has decided."""
    return f"sum({names.APPROVALS_WAITING.exposed}{{{labels}}})"


def cost_per_success(labels: str, window: str) -> str:
    """What all runs cost, for each that succeeds."""
    good = f'{labels},{_STATUS}="succeeded"'
    cost = f"increase({names.RUN_COSTS.exposed}{{{labels}}}[{window}])"
    # without a success it is infinite, and not nothing
    return f"sum({cost}) / (sum(increase({_RUNS}{{{good}}}[{window}])) or vector(0))"


def tokens_per_run(labels: str, window: str) -> str:
    """Tokens of a run, on average."""
    tokens = f"increase({names.TOKEN_USAGE.exposed}_sum{{{labels}}}[{window}])"
    return ratio(tokens, f"increase({_RUNS}{{{labels}}}[{window}])")


def eval_drift(labels: str) -> str:
    """How far the pass rate of each eval lies below its usual one."""
    by = names.label(names.EVALUATION_NAME)
    series = f"{names.EVAL_PASS_RATE.exposed}{{{labels}}}"
    usual = f"avg by ({by}) (avg_over_time({series}[{_USUAL}]))"
    return f"{usual} - avg by ({by}) (last_over_time({series}[{_LATEST}]))"


def objectives(agent: str, slos: SlosSpec) -> Iterator[Objective]:
    """Those that `slos` states, in its order."""
    labels, window = selector(agent), slos.window
    for share, what in (("p50", "half of the runs"), ("p95", "95 in 100 runs")):
        limit = slos.latency.p50 if share == "p50" else slos.latency.p95
        if limit is not None:
            expression = quantile(f"0.{share[1:]}", names.RUN_DURATION, labels, window)
            alert, title = f"Latency{share.upper()}", f"Latency {share}"
            yield _time(f"latency.{share}", alert, title, expression, limit, what)
    if (least := slos.success) is not None:
        expression = run_success(labels, window)
        yield _share("success", "Success", "Runs that succeed", expression, "<", least)
    if (least := slos.tool_success) is not None:
        expression = calls("returned", "returned|failed", labels, window)
        yield _share("tool_success", "ToolSuccess", "Tool calls answered", expression, "<", least)
    if (least := slos.valid_output) is not None:
        expression = valid_output(labels, window)
        yield _share("valid_output", "ValidOutput", "Structured answers that fit", expression, "<", least)
    if (most := slos.refusals) is not None:
        expression = calls("refused", ".+", labels, window)
        yield _share("refusals", "Refusals", "Tool calls refused", expression, ">", most)
    yield from _amounts(labels, slos)


def _amounts(labels: str, slos: SlosSpec) -> Iterator[Objective]:
    window = slos.window
    if (count := slos.approvals_waiting) is not None:
        said = f"more than {count} approvals wait"
        yield Objective(
            "approvals_waiting",
            "ApprovalsWaiting",
            "Approvals waiting",
            waiting(labels),
            ">",
            str(count),
            said,
        )
    if (limit := slos.approval_time) is not None:
        expression = quantile("0.95", names.APPROVAL_DURATION, labels, window)
        title, what = "Time to decide p95", "95 in 100 decisions"
        yield _time("approval_time", "ApprovalTime", title, expression, limit, what)
    if (dollars := slos.cost_per_success_usd) is not None:
        said = f"a run that succeeds costs more than {dollars} US dollars"
        expression = cost_per_success(labels, window)
        title = "Cost per success"
        yield Objective("cost_per_success_usd", "CostPerSuccess", title, expression, ">", dollars, said)
    if (count := slos.tokens_per_run) is not None:
        said = f"a run uses more than {count} tokens on average"
        expression = tokens_per_run(labels, window)
        yield Objective("tokens_per_run", "TokensPerRun", "Tokens per run", expression, ">", str(count), said)
    if (fall := slos.eval_drift) is not None:
        said = f"an eval passes less often than usual, by more than {_percent(fall)}"
        yield Objective("eval_drift", "EvalDrift", "Eval drift", eval_drift(labels), ">", _number(fall), said)


def _time(key: str, alert: str, title: str, expression: str, limit: str, what: str) -> Objective:
    seconds = f"{Decimal(milliseconds(limit)) / 1000:f}"
    return Objective(key, alert, title, expression, ">", seconds, f"{what} take longer than {limit}")


def _share(
    key: str, alert: str, title: str, expression: str, beyond: Literal["<", ">"], target: float
) -> Objective:
    word = "less" if beyond == "<" else "more"
    said = f"{title[:1].lower()}{title[1:]}: {word} than {_percent(target)}"
    return Objective(key, alert, title, expression, beyond, _number(target), said)


def _number(value: float) -> str:
    return f"{Decimal(repr(value)):f}"


def _percent(value: float) -> str:
    return f"{(Decimal(repr(value)) * 100).normalize():f} %"
