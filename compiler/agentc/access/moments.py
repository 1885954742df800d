"""The moment of a call: what a run has read by then, its data, and what values may be traced to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agentc_runtime.bundle import Program
from agentc_runtime.canonical import canonical
from agentc_runtime.expressions import Ref
from agentc_runtime.interpret.typed import label_at
from agentc_runtime.labels import NOTHING_READ, Label, join
from agentc_runtime.origins import Origins, origins_of
from agentc_runtime.template import paths
from agentc_runtime.values import ABSENT, evaluate, references
from agentc_runtime.workflow import (
    AgentState,
    EndState,
    HandoffState,
    MapState,
    ModelState,
    ParallelState,
    RetrieveState,
    ToolState,
    VerifyState,
    inside_of,
    tools_of,
)

from .tools import ToolAccess


@dataclass(frozen=True)
class Moment:
    """All that the decision on a call depends on, besides the call.

    `context` is the label of what was read, `data` what bound arguments refer to.
    """

    context: Label
    data: Mapping[str, object]
    origins: Origins


@dataclass(frozen=True)
class Told:
    """What is assumed of a run: its data, the label of what its model read in the state, and for `from` what
    trusted tools have answered and people have approved. `outputs` are those of states, by name."""

    read: Label = NOTHING_READ
    input: object = None
    session: object = None
    outputs: Mapping[str, object] | None = None
    trusted: Iterable[object] = ()
    approved: Iterable[object] = ()


def moment(program: Program, state: str, tool: str, told: Told) -> Moment:
    """The moment of a call of `tool` (its full name) in `state`.

    As in a run, what the state's texts hold counts as read, and so does what the grant binds. The outputs of
    earlier states have the label of what was read.
    """
    outputs = told.outputs or {}
    data = {
        "input": told.input if told.input is not None else {},
        "session": told.session if told.session is not None else {},
        "states": {name: {"output": value} for name, value in outputs.items()},
    }
    read = _read_first(program, state) | _bound(program, tool)
    labels = dict.fromkeys(outputs, told.read)
    context = join(told.read, *(label_at(program, path, labels) for path in sorted(read)))
    origins = origins_of(program, data["input"], data["session"])
    for value in told.trusted:
        origins.add("trusted", value)
    for value in told.approved:
        origins.add("approved", value)
    return Moment(context=context, data=data, origins=origins)


def most_suspect(program: Program) -> dict[str, Label]:
    """For each state the label of all that may have been read when it makes a call: the worst that can be."""
    context = dict.fromkeys(program.states, NOTHING_READ)
    given = dict(context)
    changed = True
    while changed:
        changed = False
        for name, state in program.states.items():
            first = join(
                NOTHING_READ, *(label_at(program, path, given) for path in _read_first(program, name))
            )
            answers = [program.tools[tool].output for tool in tools_of(state) if tool in program.tools]
            read = join(first, *answers) if isinstance(state, AgentState) else first
            left = join(read, *answers, *_left_besides(program, name, given))
            if (read, left) != (context[name], given[name]):
                context[name], given[name], changed = read, left, True
    return context


def _left_besides(program: Program, name: str, given: Mapping[str, Label]) -> Iterator[Label]:
    """The labels of what a state leaves that neither its texts nor its tools give."""
    state = program.states[name]
    if isinstance(state, RetrieveState):
        yield state.label
    elif isinstance(state, HandoffState) and state.agent in program.agents:
        inner = program.agents[state.agent]
        yield from (label for label in most_suspect(inner).values() if inner.states)
        yield from (tool.output for tool in inner.tools.values())
    elif isinstance(state, ParallelState | MapState):
        for inside in inside_of(program.states, state):
            yield given[inside]


def favourable(
    program: Program,
    access: ToolAccess,
    state: str,
    whole: Mapping[str, object],
    read: Label = NOTHING_READ,
) -> Moment | None:
    """A moment at which as much as possible lets a call with these whole arguments through after `read`.

    What is bound has these values, and the values stand in all that a run can be told. `None` when no data
    makes the bound arguments so.
    """
    told: dict[str, object] = {"input": {}, "session": {}, "states": {}}
    for name, expr in access.referred.items():
        if isinstance(expr, Ref):
            plant(told, expr.path, whole.get(name))
    if any(evaluate(expr, told) != whole.get(name) for name, expr in access.referred.items()):
        return None
    at = moment(
        program,
        state,
        access.tool.name,
        Told(
            read=read,
            input=told["input"],
            session=told["session"],
            outputs=outputs_in(told),
            trusted=(dict(whole),),
            approved=(dict(whole),),
        ),
    )
    if program.input.label.trust == "trusted":
        at.origins.add("input", dict(whole))
    if program.session.label.trust == "trusted":
        at.origins.add("session", dict(whole))
    return at


def outputs_in(data: Mapping[str, object]) -> dict[str, object]:
    """State → output, out of a run's data."""
    states = data.get("states")
    return {
        name: value["output"]
        for name, value in (states.items() if isinstance(states, dict) else ())
        if isinstance(value, dict) and "output" in value
    }


def plant(data: dict[str, object], path: tuple[str, ...], value: object) -> None:
    """Put a value at a path into data; nothing where a step is no object."""
    place = data
    for step in path[:-1]:
        below = place.setdefault(step, {})
        if not isinstance(below, dict):
            return
        place = below
    place[path[-1]] = value


def arguments_of_state(program: Program, state: str, tool: str, data: Mapping[str, object]) -> str | None:
    """The arguments that a `tool` state gives, as JSON; `None` for a state whose model chooses them.

    An argument whose reference is absent is left out, as in a run.
    """
    spec = program.states.get(state)
    if not isinstance(spec, ToolState) or spec.tool != tool:
        return None
    values = {name: evaluate(expr, data) for name, expr in spec.arguments.items()}
    given = {name: value for name, value in values.items() if value is not ABSENT}
    return as_json(given)


def as_json(arguments: Mapping[str, object]) -> str:
    """Arguments as a caller writes them. What is no JSON stays so, for the policy to refuse."""
    try:
        return canonical(dict(arguments)).decode()
    except ValueError:
        return json.dumps(arguments, ensure_ascii=False)


def _read_first(program: Program, state: str) -> frozenset[tuple[str, ...]]:
    match program.states.get(state):
        case (
            AgentState(instructions=instructions, prompt=prompt)
            | ModelState(instructions=instructions, prompt=prompt)
        ):
            return paths(instructions) | paths(prompt)
        case ToolState(arguments=arguments):
            return frozenset[tuple[str, ...]]().union(*map(references, arguments.values()))
        case MapState(over=over):
            return frozenset({over.path})
        case VerifyState(value=value):
            return frozenset({value.path})
        case RetrieveState(query=query):
            return references(query)
        case HandoffState(input=given, session=session):
            return references(given) | references(session)
        case EndState(output=output):
            return references(output)
        case _:
            return frozenset()


def _bound(program: Program, tool: str) -> frozenset[tuple[str, ...]]:
    grant = program.grants.get(tool)
    bound = () if grant is None else grant.bind.values()
    return frozenset[tuple[str, ...]]().union(*map(references, bound))
