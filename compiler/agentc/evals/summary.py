"""What an eval comes to: rates with intervals, by slice and scorer, flaky cases, causes, gates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean, pvariance
from typing import NamedTuple

import msgspec

from .observation import Trial
from .statistics import Interval, bootstrap, percentile, wilson


class _Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Rate(_Kept, frozen=True, kw_only=True):
    """A share of `total` with the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float
    total: int


class CaseResult(_Kept, frozen=True, kw_only=True):
    """One case over its repeats: the share that passed, why others did not, its cost and time.

    `failed` are the scorers that were not content with some run of it, required or not.
    """

    id: str
    tags: tuple[str, ...] = ()
    counts: bool = True
    passed: float
    repeats: int
    status: str
    reasons: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    scores: Mapping[str, float] = {}
    cost_usd: str | None = None
    seconds: float = 0.0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of an eval. Costs are decimal strings in US dollars, `None` without prices.

    All of them are written, zeros too: a trust policy can set a limit only to what stands in the report.
    `agreement` is how often a scorer says what people have said of the same case.
    """

    cases: int
    trials: int
    pass_rate: Rate
    slices: Mapping[str, Rate] = {}
    scorers: Mapping[str, Rate] = {}
    task_success_rate: Rate
    tool_success_rate: Rate
    valid_output_rate: Rate
    ungrounded_rate: Rate
    violations: int = 0
    flaky: tuple[str, ...] = ()
    variance: float = 0.0
    stale: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    latency_p50: float = 0.0
    latency_p95: float = 0.0
    tokens: float = 0.0
    cost_usd: float | None = None
    cost_per_success: float | None = None
    total_cost_usd: str | None = None
    judge_cost_usd: str = "0"
    agreement: Mapping[str, Rate] = {}


#: Scorers whose failure is a violation of policy.
POLICY = frozenset({"leakage", "refusals", "effects"})


class Group(NamedTuple):
    """The trials of one case."""

    id: str
    trials: tuple[Trial, ...]

    @property
    def share(self) -> float:
        """The share of its repeats that passed."""
        return sum(trial.passed for trial in self.trials) / len(self.trials)


def grouped(trials: Iterable[Trial]) -> list[Group]:
    """The trials by case, in the order of the cases' names; repeats in theirs."""
    found: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        found[trial.case].append(trial)
    return [
        Group(case, tuple(sorted(group, key=lambda trial: trial.repeat)))
        for case, group in sorted(found.items())
    ]


def rate_of(shares: Sequence[float], seed: int) -> Rate:
    """The mean of the cases' shares: Wilson's interval when each is 0 or 1, else by resampling cases."""
    if all(share in (0, 1) for share in shares):
        interval = wilson(sum(shares), len(shares))
    else:
        interval = bootstrap(shares, seed)
    return _rate(fmean(shares) if shares else 0.0, interval, len(shares))


def _rate(value: float, interval: Interval, total: int) -> Rate:
    return Rate(value=round(value, 6), low=round(interval.low, 6), high=round(interval.high, 6), total=total)


def _share(passed: int, total: int) -> Rate:
    return _rate(passed / total if total else 1.0, wilson(passed, total), total)


def case_results(groups: Iterable[Group]) -> tuple[CaseResult, ...]:
    """What a report keeps of each case."""
    return tuple(_case(group) for group in groups)


def _case(group: Group) -> CaseResult:
    trials = group.trials
    first = next((trial for trial in trials if not trial.passed), trials[0])
    names = dict.fromkeys(score.scorer for trial in trials for score in trial.scores)
    costs = [Decimal(one.observation.cost_usd) for one in trials if one.observation.cost_usd is not None]
    return CaseResult(
        id=group.id,
        tags=first.tags,
        counts=first.counts,
        passed=group.share,
        repeats=len(trials),
        status=first.observation.status,
        reasons=tuple(reasons(first)),
        failed=tuple(
            dict.fromkeys(score.scorer for trial in trials for score in trial.scores if not score.passed)
        ),
        scores={
            name: fmean(score.value for trial in trials for score in trial.scores if score.scorer == name)
            for name in names
        },
        cost_usd=f"{sum(costs) / len(costs):f}" if costs else None,
        seconds=round(fmean(trial.observation.seconds for trial in trials), 4),
    )


def reasons(trial: Trial) -> list[str]:
    """Why a trial did not pass, each with its scorer."""
    if not trial.observation.ran:
        return [f"{trial.observation.status}: {trial.observation.problem}"]
    return [
        f"{score.scorer}: {score.reason}" for score in trial.scores if score.required and not score.passed
    ]


def agreement(trials: Iterable[Trial], said: Mapping[str, Mapping[str, bool]]) -> dict[str, Rate]:
    """How often scorers agree with people. `said`: scorer → case → whether a person was content."""
    agreed: dict[str, list[bool]] = defaultdict(list)
    for trial in trials:
        for score in trial.scores:
            person = said.get(score.scorer, {}).get(trial.case)
            if person is not None:
                agreed[score.scorer].append(person == score.passed)
    return {name: _share(sum(same), len(same)) for name, same in sorted(agreed.items())}


def summarize(
    trials: Sequence[Trial], types: Mapping[str, str], *, seed: int, judge_cost: Decimal = Decimal(0)
) -> Summary:
    """The figures. `types` says of which type each scorer is. Cases that nobody accepted are left out."""
    groups = grouped(trial for trial in trials if trial.counts)
    counted = [trial for group in groups for trial in group.trials]
    ran = [trial for trial in counted if trial.observation.ran]
    runs = [trial.observation for trial in ran]
    calls = [call for run in runs for call in run.calls]
    sent = [call for call in calls if call.sent]
    checks = [check for run in runs for check in run.checks]
    grounded = [score for trial in ran for score in trial.scores if types.get(score.scorer) == "grounded"]
    tags = sorted({tag for trial in counted for tag in trial.tags})
    costs = [run.cost_usd for run in runs]
    total = sum((Decimal(cost) for cost in costs if cost is not None), Decimal(0))
    successes = sum(trial.passed for trial in counted)
    priced = bool(costs) and None not in costs
    return Summary(
        cases=len(groups),
        trials=len(counted),
        pass_rate=rate_of([group.share for group in groups], seed),
        slices={
            tag: rate_of([group.share for group in groups if tag in group.trials[0].tags], seed)
            for tag in tags
        },
        scorers=_by_scorer(groups, seed),
        task_success_rate=_share(sum(run.status == "succeeded" for run in runs), len(counted)),
        tool_success_rate=_share(sum(not call.rule for call in sent), len(sent)),
        valid_output_rate=_share(sum(check.valid for check in checks), len(checks)),
        ungrounded_rate=_share(sum(not score.passed for score in grounded), len(grounded))
        if grounded
        else Rate(value=0.0, low=0.0, high=1.0, total=0),
        violations=sum(
            not score.passed for trial in ran for score in trial.scores if types.get(score.scorer) in POLICY
        ),
        flaky=tuple(group.id for group in groups if 0 < group.share < 1),
        variance=round(fmean([_variance(group) for group in groups]), 6) if groups else 0.0,
        stale=_with_status(groups, "stale"),
        broken=_with_status(groups, "broken"),
        waiting=tuple(sorted({trial.case for trial in trials if not trial.counts})),
        latency_p50=round(percentile([run.seconds for run in runs], 0.5), 4),
        latency_p95=round(percentile([run.seconds for run in runs], 0.95), 4),
        tokens=round(fmean([run.tokens for run in runs]), 2) if runs else 0.0,
        cost_usd=round(float(total / len(runs)), 9) if priced else None,
        cost_per_success=round(float(total / successes), 9) if priced and successes else None,
        total_cost_usd=f"{total:f}" if priced else None,
        judge_cost_usd=f"{judge_cost:f}",
    )


def _variance(group: Group) -> float:
    return pvariance([float(trial.passed) for trial in group.trials])


def _with_status(groups: Iterable[Group], status: str) -> tuple[str, ...]:
    return tuple(
        group.id for group in groups if any(trial.observation.status == status for trial in group.trials)
    )


def _by_scorer(groups: Sequence[Group], seed: int) -> dict[str, Rate]:
    shares: dict[str, list[float]] = defaultdict(list)
    for group in groups:
        said: dict[str, list[float]] = defaultdict(list)
        for trial in group.trials:
            for score in trial.scores:
                said[score.scorer].append(float(score.passed))
        for name, passed in said.items():
            shares[name].append(fmean(passed))
    return {name: rate_of(values, seed) for name, values in sorted(shares.items())}
