"""What the states of a program must satisfy: names lead somewhere, and workflows lie inside each other."""

from __future__ import annotations

from collections.abc import Iterator

from .bundle import Program
from .workflow import (
    AgentState,
    HandoffState,
    MapState,
    ModelState,
    ParallelState,
    State,
    branches_of,
    inside_of,
    targets_of,
    tools_of,
)

#: How deep workflows may lie inside each other.
MAX_NESTING = 8
#: What runs at the same time in one state.
MAX_AT_ONCE = 100


def workflow_problems(program: Program) -> Iterator[str]:
    """Every way in which the states of `program` contradict themselves, one line each."""
    if program.start not in program.states:
        yield f"`start` is `{program.start}`, which is no state"
    for name, state in program.states.items():
        yield from _state(program, f"state `{name}`", state)
    yield from _nesting(program)
    for tool in program.undoing:
        if tool not in program.grants:
            yield f"the tool `{tool}` undoes, and is not granted"


def _state(program: Program, where: str, state: State) -> Iterator[str]:
    for target in (*targets_of(state), *branches_of(state)):
        if target not in program.states:
            yield f"{where} goes on to `{target}`, which is no state"
    if isinstance(state, AgentState | ModelState):
        if not state.models:
            yield f"{where} has no model"
        for alias in (*state.models, *state.escalation):
            if alias not in program.models:
                yield f"{where} uses the model `{alias}`, which is not in `models`"
    for tool in tools_of(state):
        if tool not in program.grants:
            yield f"{where} uses the tool `{tool}`, which is not granted"
    if isinstance(state, HandoffState) and state.agent not in program.agents:
        yield f"{where} hands off to the agent `{state.agent}`, which is not in `agents`"
    if isinstance(state, ParallelState):
        yield from _branches(program, where, state)
    if isinstance(state, MapState) and not (1 <= state.concurrency <= MAX_AT_ONCE and state.max_items >= 1):
        yield f"{where} has no `concurrency` from 1 to {MAX_AT_ONCE}, or takes no items"


def _branches(program: Program, where: str, state: ParallelState) -> Iterator[str]:
    count = len(state.branches)
    if not 1 <= count <= MAX_AT_ONCE:
        yield f"{where} has no branches, or more than {MAX_AT_ONCE}"
    if isinstance(state.wait, int) and not 1 <= state.wait <= count:
        yield f"{where} waits for {state.wait} of {count} branches"
    if state.wait in ("all", count):
        return
    for name in sorted(inside_of(program.states, state)):
        inner = program.states[name]
        if isinstance(inner, HandoffState) and inner.agent in program.agents:
            tools = [tool.effect for tool in program.agents[inner.agent].tools.values()]
        else:
            tools = [program.tools[tool].effect for tool in tools_of(inner) if tool in program.tools]
        if any(effect != "read" for effect in tools):
            yield f"{where} cancels branches, and state `{name}` in one of them has an effect"


def _nesting(program: Program) -> Iterator[str]:
    """No workflow shares a state with another, and none lies inside itself."""
    owners: dict[str, str] = {}
    waiting = [("", program.start, 0)]
    while waiting:
        owner, start, depth = waiting.pop()
        if depth > MAX_NESTING:
            yield f"the workflow in {owner} lies deeper than {MAX_NESTING} in others"
            continue
        reached = [start]
        mine: set[str] = set()
        while reached:
            name = reached.pop()
            if name in mine or name not in program.states:
                continue
            if owners.setdefault(name, owner) != owner:
                yield f"state `{name}` is part of two workflows"
                continue
            mine.add(name)
            state = program.states[name]
            reached += targets_of(state)
            if isinstance(state, ParallelState):
                waiting += [
                    (f"branch `{branch}` of state `{name}`", first, depth + 1)
                    for branch, first in state.branches.items()
                ]
            elif isinstance(state, MapState):
                waiting.append((f"state `{name}`", state.start, depth + 1))
