"""Scorers of what a run did: calls, states, refusals, questions to people, effects, its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ...syntax.common import milliseconds
from ...syntax.scorers import (
    ApprovalsScorer,
    CostScorer,
    EffectsScorer,
    ExpectedCall,
    LatencyScorer,
    RefusalsScorer,
    StatesScorer,
    StatusScorer,
    TokensScorer,
    ToolsScorer,
    ValidOutputScorer,
)
from ..mocking import fits
from ..observation import Call, Observation
from .base import Said, Scorer, Seen, quoted, verdict


def tools(spec: ToolsScorer) -> Scorer:
    """The calls of tools that were made and accepted."""

    def score(seen: Seen) -> Said:
        calls = seen.run.calls
        good = [call for call in calls if not call.rule]
        names = [call.tool for call in good]
        wrong = [f"`{name}` was not called{_tried(calls, name)}" for name in spec.called if name not in names]
        tried = {call.tool for call in calls}
        wrong += [f"`{name}` was called{_with(calls, name)}" for name in spec.not_called if name in tried]
        if spec.only is not None:
            wrong += [
                f"`{name}` was called{_with(calls, name)}" for name in sorted(tried) if name not in spec.only
            ]
        if not _in_order(spec.order, names):
            said = " → ".join(f"`{name}`" for name in names) or "nothing"
            wanted = " → ".join(f"`{name}`" for name in spec.order)
            wrong.append(f"the calls were {said}; expected {wanted}")
        wrong += _expected(spec.calls, good, "called")
        if spec.max is not None and len(calls) > spec.max:
            wrong.append(f"{len(calls)} calls; {spec.max} at most")
        return verdict(wrong)

    return score


def _tried(calls: Iterable[Call], name: str) -> str:
    refused = next((call for call in calls if call.tool == name and call.rule), None)
    if refused is None:
        return ""
    where = f" ({refused.at})" if refused.at else ""
    return f": {refused.rule} {refused.message}{where}"


def _with(calls: Iterable[Call], name: str) -> str:
    return next((f" with {quoted(call.arguments)}" for call in calls if call.tool == name), "")


def _in_order(wanted: Sequence[str], names: Iterable[str]) -> bool:
    left = iter(names)
    return all(name in left for name in wanted)


def _expected(wanted: Iterable[ExpectedCall], calls: Sequence[Call], verb: str) -> list[str]:
    wrong: list[str] = []
    for one in wanted:
        of_tool = [call for call in calls if call.tool == one.tool]
        count = sum(
            fits(one.arguments, call.arguments) for call in of_tool if isinstance(call.arguments, dict)
        )
        what = f"`{one.tool}`" + (f" with {quoted(one.arguments)}" if one.arguments else "")
        if count < one.min:
            there = "; ".join(quoted(call.arguments) for call in of_tool[:3])
            was = f"; there was {there}" if there else ""
            wrong.append(f"{what} was {verb} {count} times, at least {one.min} expected{was}")
        if one.max is not None and count > one.max:
            wrong.append(f"{what} was {verb} {count} times, {one.max} at most")
    return wrong


def states(spec: StatesScorer) -> Scorer:
    """The states that the run went through."""

    def score(seen: Seen) -> Said:
        path = [visit.state for visit in seen.run.visits]
        shown = " → ".join(path) + _failures(seen.run)
        wrong = []
        if not _in_order(spec.visited, path):
            wrong.append(f"expected {' → '.join(spec.visited)}; the run went {shown}")
        wrong += [f"state `{name}` was entered: {shown}" for name in spec.not_visited if name in path]
        if spec.end is not None and (not path or path[-1] != spec.end):
            wrong.append(f"expected to end in `{spec.end}`; the run went {shown}")
        return verdict(wrong)

    return score


def _failures(run: Observation) -> str:
    failed = [visit for visit in run.visits if visit.rule]
    said = "; ".join(f"`{visit.state}` failed by {visit.rule} {visit.message}" for visit in failed[:3])
    return f" ({said})" if said else ""


def refusals(spec: RefusalsScorer) -> Scorer:
    """What the broker refused."""

    def score(seen: Seen) -> Said:
        refused = [call for call in seen.run.calls if call.rule]
        rules = [call.rule for call in refused]
        shown = "; ".join(f"{call.rule} of `{call.tool}`: {call.message}" for call in refused[:3])
        was = f" (refused: {shown})" if shown else " (nothing was refused)"
        wrong = [f"{rule} refused nothing{was}" for rule in spec.rules if rule not in rules]
        if spec.only is not None:
            wrong += [
                f"{call.rule} refused `{call.tool}`: {call.message}"
                for call in refused
                if call.rule not in spec.only
            ]
        if len(rules) < spec.min:
            wrong.append(f"{len(rules)} refusals; at least {spec.min} expected{was}")
        if spec.max is not None and len(rules) > spec.max:
            wrong.append(f"{len(rules)} refusals; {spec.max} at most{was}")
        return verdict(wrong)

    return score


def approvals(spec: ApprovalsScorer) -> Scorer:
    """What people were asked."""

    def score(seen: Seen) -> Said:
        asked = [call for call in seen.run.calls if call.asked]
        names = [call.tool for call in asked]
        wrong = [f"nobody was asked for `{name}`" for name in spec.asked if name not in names]
        wrong += [
            f"somebody was asked for `{call.tool}` with {quoted(call.arguments)}"
            for call in asked
            if call.tool in spec.not_asked
        ]
        if spec.max is not None and len(asked) > spec.max:
            wrong.append(f"{len(asked)} questions to people; {spec.max} at most")
        return verdict(wrong)

    return score


def effects(spec: EffectsScorer) -> Scorer:
    """What was changed on the services."""

    def score(seen: Seen) -> Said:
        made = effects_of(seen.run)
        wrong = _expected(spec.made, made, "sent")
        if spec.only is not None:
            wrong += [
                f"`{call.tool}` was sent with {quoted(call.arguments)}"
                for call in made
                if call.tool not in spec.only
            ]
        if spec.max is not None and len(made) > spec.max:
            said = "; ".join(f"`{call.tool}` {quoted(call.arguments)}" for call in made[:3])
            wrong.append(f"{len(made)} effects; {spec.max} at most: {said}")
        return verdict(wrong)

    return score


def effects_of(run: Observation) -> list[Call]:
    """The calls of effects that were sent."""
    return [call for call in run.calls if call.sent and call.effect not in ("", "read")]


def valid_output(_: ValidOutputScorer) -> Scorer:
    """Every answer had its form at once."""

    def score(seen: Seen) -> Said:
        return verdict(
            [
                f"an answer of `{check.model}` in state `{check.state}` can't be used: {check.reason}"
                for check in seen.run.checks
                if not check.valid
            ]
        )

    return score


def status(spec: StatusScorer) -> Scorer:
    """How the run ended."""

    def score(seen: Seen) -> Said:
        run = seen.run
        why = f": {run.rule} {run.message}" + (f" ({run.at})" if run.at else "") if run.rule else ""
        wrong = []
        if run.status != spec.is_:
            wrong.append(f"the run {run.status}{why}")
        if spec.rule is not None and run.rule != spec.rule:
            wrong.append(f"expected to be stopped by {spec.rule}; the run {run.status}{why}")
        return verdict(wrong)

    return score


def latency(spec: LatencyScorer) -> Scorer:
    """How long the run took."""
    most = milliseconds(spec.max) / 1000

    def score(seen: Seen) -> Said:
        took = seen.run.seconds
        return verdict([] if took <= most else [f"it took {took:.2f} s; {most:g} s at most"])

    return score


def tokens(spec: TokensScorer) -> Scorer:
    """How many tokens the models read and wrote."""

    def score(seen: Seen) -> Said:
        used = seen.run.tokens
        return verdict([] if used <= spec.max else [f"{used:,} tokens; {spec.max:,} at most"])

    return score


def cost(spec: CostScorer) -> Scorer:
    """What the models cost."""

    def score(seen: Seen) -> Said:
        spent = seen.run.cost_usd
        if spent is None:
            return Said(0, False, "a model without prices was used")
        most = Decimal(spec.max_usd)
        return verdict([] if Decimal(spent) <= most else [f"it cost ${spent}; ${most} at most"])

    return score
