"""What permission tests leave untested: each grant, and each thing in it without which no case comes out
otherwise.

This is mutation testing: every limit is taken away in turn, and the cases are judged again. A limit whose
absence no case notices is one that a change could remove with all tests passing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime.consent import open_destinations

from ..access import Judge
from ..diagnostics import Span
from ..lower import lower_grant
from ..lowered import Lowered
from ..predicates import FROM
from ..program import Grant, Program
from ..resources import Step
from ..syntax.permissions import GrantFlowSpec
from .trials import Trial, trials


@dataclass(frozen=True)
class Covered:
    """One thing that a grant says, its place, and the first case that comes out otherwise without it."""

    agent: str
    tool: str
    what: str
    span: Span
    grant: Span
    by: str | None


@dataclass(frozen=True)
class _Part:
    """A part of a grant, and the grant without it; `None` without anything. `given` is an argument that a
    case has to give to be about it."""

    what: str
    path: tuple[Step, ...]
    without: Grant | None
    given: str | None = None


def coverage(program: Program, agents: Mapping[str, Lowered]) -> list[Covered]:
    """Every part of every grant, those of agents with tests first. What several agents have counts once."""
    found: dict[tuple[Span, str], Covered] = {}
    for name in sorted(agents, key=lambda name: (name not in tested_agents(program), name)):
        lowered = agents[name]
        tests = [test for test in program.permission_tests.values() if test.spec.agent == name]
        tried = [trial for test in tests for trial in trials(lowered, test)]
        for tool, grant in sorted(lowered.agent.grants.items()):
            cases = [(one, one.verdict(lowered.judge).outcome) for one in tried if one.case.tool == tool]
            for part in _parts(grant, lowered.program.tools[tool]):
                span = grant.span(*part.path, key=part.path != ("tool",))
                known = found.get((span, part.what))
                if known is None or known.by is None:
                    by = _notices(lowered, tool, part, cases)
                    first = known.agent if known is not None and by is None else name
                    found[span, part.what] = Covered(first, tool, part.what, span, grant.span("tool"), by)
    return list(found.values())


def tested_agents(program: Program) -> frozenset[str]:
    """The agents that have permission tests."""
    return frozenset(test.spec.agent for test in program.permission_tests.values())


def _notices(lowered: Lowered, tool: str, part: _Part, cases: Iterable[tuple[Trial, str]]) -> str | None:
    """The first case that comes out otherwise without the part; each comes with how it comes out now."""
    judge: Judge | None = None
    for trial, outcome in cases:
        if part.given is not None and part.given not in json.loads(trial.arguments):
            continue
        if judge is None:
            judge = _judge_without(lowered, tool, part)
        if trial.verdict(judge).outcome != outcome:
            return trial.case.name
    return None


def _judge_without(lowered: Lowered, tool: str, part: _Part) -> Judge:
    """The judge of a program that knows this tool alone, granted without the part."""
    program = lowered.program
    grants = {} if part.without is None else {tool: lower_grant(part.without)}
    reduced = msgspec.structs.replace(program, tools={tool: program.tools[tool]}, grants=grants)
    return Judge(reduced, lowered.source_map)


def _parts(grant: Grant, tool: ir.Tool) -> Iterator[_Part]:
    spec = grant.spec
    yield _Part("the grant", ("tool",), None)
    for name, limit in spec.where.items():
        path = ("where", name)
        rest = {key: value for key, value in limit.items() if key != FROM}
        others = {key: value for key, value in spec.where.items() if key != name}
        if FROM in limit:
            changed = {**others, name: rest} if rest else others
            yield _Part(f"the origin of `{name}`", path, _changed(grant, where=changed))
        if rest or FROM not in limit:
            changed = {**others, name: {FROM: limit[FROM]}} if FROM in limit else others
            yield _Part(f"the limit of `{name}`", path, _changed(grant, where=changed))
    for name in spec.bind:
        bind = {key: value for key, value in spec.bind.items() if key != name}
        bound = {key: value for key, value in grant.bind.items() if key != name}
        unbound = replace(_changed(grant, bind=bind), bind=bound)
        yield _Part(f"`{name}`, which is bound", ("bind", name), unbound, given=name)
    if spec.approval is not None:
        yield _Part("the approval", ("approval",), _changed(grant, approval=None))
        if spec.approval.when:
            always = spec.approval.model_copy(update={"when": None})
            yield _Part(
                "the condition of the approval", ("approval", "when"), _changed(grant, approval=always)
            )
    for period in ("per_run", "per_day"):
        if spec.quota is not None and getattr(spec.quota, period) is not None:
            quota = spec.quota.model_copy(update={period: None})
            words = f"the quota of a {period.removeprefix('per_')}"
            yield _Part(words, ("quota", period), _changed(grant, quota=quota))
    yield from _flow(grant, tool)


def _flow(grant: Grant, tool: ir.Tool) -> Iterator[_Part]:
    lowered = lower_grant(grant)
    free = tool.effect == "read" and not open_destinations(tool, lowered)
    always = lowered.approval is not None and lowered.approval.when is None
    if (
        lowered.untrusted_to_effect == "allow"
        or free
        or (always and lowered.untrusted_to_effect == "approve")
    ):
        return  # without it nothing would come out otherwise
    own = grant.spec.untrusted_to_effect
    path: tuple[Step, ...] = ("tool",) if own is None else ("untrusted_to_effect",)
    allowed = GrantFlowSpec(policy="allow")
    yield _Part("the flow rule", path, _changed(grant, untrusted_to_effect=allowed))
    if own is None or own.unless is None:
        return
    stricter = own.model_copy(update={"unless": None})
    yield _Part(
        "the exceptions to the flow rule",
        ("untrusted_to_effect", "unless"),
        _changed(grant, untrusted_to_effect=stricter),
    )
    for name, limit in own.unless.items():
        rest = {key: value for key, value in limit.items() if key != FROM}
        parts = [("the limit", {FROM: limit[FROM]} if FROM in limit else {})] if rest else []
        parts += [("the origin", rest)] if FROM in limit else []
        for words, changed in parts:
            wider = own.model_copy(update={"unless": {**own.unless, name: changed}})
            yield _Part(
                f"{words} of `{name}` in the exceptions",
                ("untrusted_to_effect", "unless", name),
                _changed(grant, untrusted_to_effect=wider),
            )


def _changed(grant: Grant, **update: object) -> Grant:
    return replace(grant, spec=grant.spec.model_copy(update=update))
