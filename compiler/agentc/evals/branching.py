"""Cases for each step of a workflow: what a model has to answer, and a service to fail, so that it is taken.

A case is the shortest way from the start to the step. On it a model answers what leads on: a value that a
choice goes by is a small one that satisfies what the choice asks for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agentc_runtime import bundle as ir
from agentc_runtime.workflow import AgentState, ChoiceState, ModelState, State, ToolState

from ..access import some_value

#: A status that is no service's fault and that nobody tries again.
_FAILS: Final = 422
_MODEL_FAILS: Final = 400


@dataclass(frozen=True)
class Edge:
    """A step. `number` is that of the choice, -1 for the default."""

    source: str
    target: str
    kind: Literal["next", "choice", "catch"]
    number: int = 0

    def __str__(self) -> str:
        return f"{self.source} {'⇢' if self.kind == 'catch' else '→'} {self.target}"


class _NoWayError(Exception):
    """No values that are known here lead this way."""


def branch_cases(program: ir.Program, given: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """A case for each step that this knows a way to. `given` is an input that fits.

    Steps of states inside others, of approvals and of hand-offs are left to people.
    """
    ways = _ways(program)
    for way in ways:
        edge = way[-1]
        try:
            case = _case(program, way, given)
        except _NoWayError:
            continue
        yield {
            "description": f"goes {edge}",
            "tags": ["branch"],
            **case,
            "assert": [{"type": "states", "name": "goes-there", "visited": [edge.source, edge.target]}],
        }


def _ways(program: ir.Program) -> list[tuple[Edge, ...]]:
    """The shortest way to each step, that step included."""
    found: dict[str, tuple[Edge, ...]] = {program.start: ()}
    waiting, ways = deque([program.start]), []
    while waiting:
        name = waiting.popleft()
        for edge in _edges(name, program.states[name]):
            ways.append((*found[name], edge))
            if edge.target not in found:
                found[edge.target] = ways[-1]
                waiting.append(edge.target)
    return ways


def _edges(name: str, state: State) -> Iterator[Edge]:
    match state:
        case ChoiceState(choices=choices, default=default):
            for number, choice in enumerate(choices):
                yield Edge(name, choice.next, "choice", number)
            if default is not None:
                yield Edge(name, default, "choice", -1)
        case AgentState() | ModelState() | ToolState():
            yield Edge(name, state.next, "next")
            wanted = "tool_error" if isinstance(state, ToolState) else "model_error"
            caught = next((one for one in state.catch if {"any", wanted} & set(one.errors)), None)
            if caught is not None:
                yield Edge(name, caught.next, "catch")


def _case(program: ir.Program, way: tuple[Edge, ...], given: Mapping[str, object]) -> dict[str, object]:
    wanted = _wanted(program, way)
    turns: list[dict[str, object]] = []
    mock: list[dict[str, object]] = []
    for edge in way:
        state = program.states[edge.source]
        if isinstance(state, ToolState):
            if edge.kind == "catch":
                mock.append({"tool": state.tool, "status": _FAILS})
        elif isinstance(state, AgentState | ModelState):
            if edge.kind == "catch":
                again = {"any", "model_error"} & set(state.retry.errors)
                tries = (state.retry.max_attempts if again else 1) * len(state.models)
                turns += [{"status": _MODEL_FAILS}] * tries
            else:
                turns.append(_turn(state, wanted.get(f"states.{edge.source}", ())))
    case: dict[str, object] = {"turns": [*turns, {"made_up": True}]}
    if mock:
        case["mock"] = mock
    if "input" in wanted:
        value = some_value({"allOf": [dict(program.input.schema), *wanted["input"]]})
        if not isinstance(value, dict):
            raise _NoWayError
        case["input"] = value
    else:
        case["input"] = dict(given)
    return case


def _turn(state: AgentState | ModelState, wanted: tuple[dict[str, object], ...]) -> dict[str, object]:
    if state.output is None:
        if wanted:
            raise _NoWayError
        return {"text": "Made up."}
    value = some_value({"allOf": [dict(state.output), *wanted]})
    if value is None:
        raise _NoWayError
    return {"output": value}


def _wanted(program: ir.Program, way: tuple[Edge, ...]) -> dict[str, tuple[dict[str, object], ...]]:
    """What choices on the way ask for: `input` or `states.NAME` → schemas of it."""
    found: dict[str, tuple[dict[str, object], ...]] = {}
    for edge in way:
        state = program.states[edge.source]
        if not isinstance(state, ChoiceState):
            continue
        taken = len(state.choices) if edge.number < 0 else edge.number
        for number, choice in enumerate(state.choices[: taken + 1]):
            when: dict[str, object] = dict(choice.when)
            schema: dict[str, object] = when if number == taken else {"not": when}
            root, path = _rooted(choice.on.path)
            found[root] = (*found.get(root, ()), _below(path, schema))
    return found


def _rooted(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if path[0] == "input":
        return "input", path[1:]
    if path[0] == "states" and path[2:3] == ("output",):
        return f"states.{path[1]}", path[3:]
    raise _NoWayError


def _below(path: tuple[str, ...], schema: dict[str, object]) -> dict[str, object]:
    for name in reversed(path):
        schema = {"type": "object", "properties": {name: schema}, "required": [name]}
    return schema
