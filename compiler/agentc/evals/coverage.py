"""Which parts of an agent the cases exercise, and which none does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from agentc_runtime.bundle import Program
from agentc_runtime.workflow import AgentState, ChoiceState, EndState, ModelState, ToolState

from .observation import Observation


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the parts of one kind are exercised, and the names of those that are not."""

    covered: int
    total: int
    missing: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage by kind.

    A tool is exercised when a call is accepted, a branch when the workflow takes it, a guard when it refuses
    a call or asks a person.
    """

    tools: Covered
    states: Covered
    branches: Covered
    guards: Covered
    refusals: tuple[str, ...]


def coverage(program: Program, runs: Iterable[Observation]) -> Coverage:
    """What the runs exercise of the program."""
    tools: set[str] = set()
    states: set[str] = set()
    branches: set[str] = set()
    guards: set[str] = set()
    refused: set[str] = set()
    for run in runs:
        states |= {visit.state for visit in run.visits}
        branches |= {
            f"{visit.state} {'⇢' if visit.rule else '→'} {visit.next}" for visit in run.visits if visit.next
        }
        for call in run.calls:
            if not call.rule:
                tools.add(call.tool)
            else:
                refused.add(call.rule)
            guards |= set(_tripped(call.tool, call.rule, asked=call.asked))
    return Coverage(
        tools=_covered(program.grants, tools),
        states=_covered(program.states, states),
        branches=_covered(_branches(program), branches),
        guards=_covered(_guards(program), guards),
        refusals=tuple(sorted(refused)),
    )


def _covered(names: Iterable[str], seen: set[str]) -> Covered:
    known = list(dict.fromkeys(names))
    missing = tuple(name for name in known if name not in seen)
    return Covered(covered=len(known) - len(missing), total=len(known), missing=missing)


def _branches(program: Program) -> Iterator[str]:
    """Every step of the workflow: `a → b`, and `a ⇢ b` where an error is caught."""
    for name, state in program.states.items():
        match state:
            case ChoiceState():
                for choice in state.choices:
                    yield f"{name} → {choice.next}"
                if state.default is not None:
                    yield f"{name} → {state.default}"
            case AgentState() | ModelState() | ToolState():
                yield f"{name} → {state.next}"
                for catch in state.catch:
                    yield f"{name} ⇢ {catch.next}"
            case EndState():
                pass


def _guards(program: Program) -> Iterator[str]:
    """What of the grants may refuse a call or ask a person."""
    for name, grant in program.grants.items():
        if grant.where is not None:
            yield f"{name}: limits of arguments"
        if grant.origins:
            yield f"{name}: origins of arguments"
        if grant.bind and _from_model(program, name):
            yield f"{name}: bound arguments"
        flows = program.tools[name].effect != "read" and grant.untrusted_to_effect == "approve"
        if grant.approval is not None or flows:
            yield f"{name}: asks a person"
            yield f"{name}: a person says no"
        if grant.quota is not None and _from_model(program, name):
            yield f"{name}: quota"


def _from_model(program: Program, tool: str) -> bool:
    return any(isinstance(state, AgentState) and tool in state.tools for state in program.states.values())


def _tripped(tool: str, rule: str, *, asked: bool) -> Iterator[str]:
    if asked:
        yield f"{tool}: asks a person"
    kinds = {
        "AR201": "limits of arguments",
        "AR207": "origins of arguments",
        "AR105": "bound arguments",
        "AR203": "quota",
        "AR204": "quota",
        "AR205": "a person says no",
    }
    if rule in kinds:
        yield f"{tool}: {kinds[rule]}"
