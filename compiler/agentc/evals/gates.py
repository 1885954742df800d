"""Gates: whether a release may go out, and why not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..syntax.eval import BaselineGateSpec, GateSpec
from .statistics import mcnemar_worse, permutation_worse
from .summary import CaseResult, Rate, Summary

#: What has to hold when an eval says nothing.
ALL_PASS = (GateSpec(min=1),)


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: whether it holds, and a sentence with the figure and the bound."""

    passed: bool
    message: str


def judge_gates(
    gates: Sequence[GateSpec],
    summary: Summary,
    cases: Sequence[CaseResult],
    baseline: Sequence[CaseResult] | None,
    *,
    seed: int,
    partial: bool = False,
) -> tuple[GateResult, ...]:
    """Each gate in order. Cases that can't be measured, being stale or broken, are one that fails.

    Of a `partial` run, gates whose cases were not among those that were run say nothing.
    """
    results = []
    unmeasured = [*summary.stale, *summary.broken]
    if unmeasured:
        names = ", ".join(unmeasured[:5]) + (
            f" and {len(unmeasured) - 5} more" if len(unmeasured) > 5 else ""
        )
        many = "1 case" if len(unmeasured) == 1 else f"{len(unmeasured)} cases"
        results.append(GateResult(passed=False, message=f"{many} can't be measured: {names}"))
    for gate in gates or ALL_PASS:
        if gate.min is not None or gate.max is not None:
            results.append(_absolute(gate, summary, cases, seed, partial=partial))
        if gate.baseline is not None:
            results.append(_against(gate, gate.baseline, cases, baseline, seed))
    return tuple(results)


def _called(gate: GateSpec) -> str:
    name = f"`{gate.metric}`"
    if gate.scorer is not None:
        name += f" of `{gate.scorer}`"
    return f"{name} in `{gate.slice}`" if gate.slice is not None else name


def _absolute(
    gate: GateSpec, summary: Summary, cases: Sequence[CaseResult], seed: int, *, partial: bool
) -> GateResult:
    found = _metric(gate, summary, cases, seed)
    if partial and found is not None and found.total == 0:
        return GateResult(passed=True, message=f"{_called(gate)} was not measured: none of its cases was run")
    if found is None:
        return GateResult(passed=False, message=f"{_called(gate)} is not known: a model has no prices")
    low = found.low if gate.confident else found.value
    high = found.high if gate.confident else found.value
    bounds = []
    passed = True
    if gate.min is not None:
        passed = passed and low >= gate.min - 1e-12
        bounds.append(f"at least {gate.min:g}")
    if gate.max is not None:
        passed = passed and high <= gate.max + 1e-12
        bounds.append(f"at most {gate.max:g}")
    sure = f" (95 %: {found.low:.3g} to {found.high:.3g})" if found.low != found.high else ""
    how = " with confidence" if gate.confident else ""
    return GateResult(
        passed=passed, message=f"{_called(gate)} is {found.value:.3g}{sure}, {' and '.join(bounds)}{how}"
    )


def _metric(gate: GateSpec, summary: Summary, cases: Sequence[CaseResult], seed: int) -> Rate | None:
    from .summary import rate_of

    if gate.metric == "pass_rate":
        counted = [case for case in cases if case.counts and (gate.slice is None or gate.slice in case.tags)]
        if gate.scorer is not None:
            if gate.slice is None:
                return summary.scorers.get(gate.scorer, Rate(value=0, low=0, high=0, total=0))
            shares = [float(gate.scorer not in case.failed) for case in counted if gate.scorer in case.scores]
            return rate_of(shares, seed)
        return rate_of([case.passed for case in counted], seed)
    if gate.metric == "flaky_rate":
        return rate_of([float(0 < case.passed < 1) for case in cases if case.counts], seed)
    value: Rate | float | None = getattr(summary, gate.metric)
    if value is None or isinstance(value, Rate):
        return value
    return Rate(value=float(value), low=float(value), high=float(value), total=summary.trials)


def _against(
    gate: GateSpec,
    bound: BaselineGateSpec,
    cases: Sequence[CaseResult],
    baseline: Sequence[CaseResult] | None,
    seed: int,
) -> GateResult:
    name = _called(gate)
    if baseline is None:
        return GateResult(passed=True, message=f"{name} was not compared: there is no baseline")
    before = {case.id: case for case in baseline}
    pairs = [
        (before[case.id], case)
        for case in cases
        if case.id in before and case.counts and (gate.slice is None or gate.slice in case.tags)
    ]
    if not pairs:
        return GateResult(passed=False, message=f"{name} can't be compared: no case is in the baseline")
    drops = [_worse(gate.metric, then, now) for then, now in pairs]
    drop = sum(drops) / len(drops)
    if gate.metric == "pass_rate" and all(one in (-1, 0, 1) for one in drops):
        chance = mcnemar_worse(drops.count(1), drops.count(-1))
        test = "exact McNemar"
    else:
        chance = permutation_worse(drops, seed)
        test = "paired permutation"
    worse = drop > bound.max_drop + 1e-12 and chance < bound.significance
    broke = [now.id for (_, now), one in zip(pairs, drops, strict=True) if one > 0]
    which = f": {', '.join(broke[:5])}" if broke and gate.metric == "pass_rate" else ""
    said = f"{name} is {abs(drop):.3g} {'worse' if drop > 0 else 'better'} than the baseline"
    if drop == 0:
        said = f"{name} is that of the baseline"
    return GateResult(
        passed=not worse,
        message=f"{said} over {len(pairs)} cases (p = {chance:.3g}, {test}; a drop over "
        f"{bound.max_drop:g} at p < {bound.significance:g} fails){which}",
    )


def _worse(metric: str, then: CaseResult, now: CaseResult) -> float:
    """How much worse a case has become; positive is worse."""
    if metric == "pass_rate":
        return then.passed - now.passed
    if metric in ("latency_p50", "latency_p95"):
        return now.seconds - then.seconds
    if metric in ("cost_usd", "cost_per_success"):
        return float(now.cost_usd or 0) - float(then.cost_usd or 0)
    return 0.0
