"""The states of agents as they are written, those in branches as well, and who hands off to whom."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Final

from .program import Grant
from .resources import Step
from .syntax.agent import AgentSpec
from .syntax.workflow import AgentStateSpec, EndStateSpec, HandoffStateSpec, StateSpec, bodies
from .typing_env import Placed

#: How many agents one bundle holds.
MAX_AGENTS: Final = 64


def handoffs(specs: Mapping[str, AgentSpec]) -> dict[str, tuple[str, ...]]:
    """Each agent with those that it hands off to: they exist, do not lead back, and are not too many.

    An agent with all that it hands off to, each as often as it is handed off to, is at most `MAX_AGENTS`.
    """
    named = {
        name: sorted(
            {
                one.spec.agent
                for one in placed_states(spec, {})[1].values()
                if isinstance(one.spec, HandoffStateSpec) and one.spec.agent in specs
            }
        )
        for name, spec in specs.items()
    }

    def leads(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for target in named[waiting.pop()]:
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        return found

    reached = {name: leads(name) for name in named}
    forward = {
        name: [other for other in others if name != other and name not in reached[other]]
        for name, others in named.items()
    }
    size: dict[str, int] = {}
    kept: dict[str, tuple[str, ...]] = {}
    for name in TopologicalSorter(forward).static_order():
        size[name], taken = 1, []
        for other in forward[name]:
            if size[name] + size[other] <= MAX_AGENTS:
                size[name] += size[other]
                taken.append(other)
        kept[name] = tuple(taken)
    return kept


def placed_states(
    spec: AgentSpec, grants: Mapping[str, Grant]
) -> tuple[str, dict[str, Placed], tuple[tuple[Step, ...], ...]]:
    """The workflow's states, those in branches as well, and the paths of those whose names were taken.

    Without a workflow, one model loop over every granted tool.
    """
    if spec.workflow is None:
        main = AgentStateSpec(type="agent", tools=tuple(sorted(grants)), output=spec.output, next="done")
        done = EndStateSpec(type="end", output="${states.main.output}")
        return "main", {"main": Placed(main, (), None), "done": Placed(done, (), None)}, ()
    placed: dict[str, Placed] = {}
    taken: list[tuple[Step, ...]] = []

    def place(
        states: Mapping[str, StateSpec], path: tuple[Step, ...], inside: tuple[str, str] | None
    ) -> None:
        # all of one level first: of two states with one name the outer one keeps it
        mine = [name for name in states if name not in placed]
        taken.extend((*path, name) for name in states if name in placed)
        placed.update({name: Placed(states[name], (*path, name), inside) for name in mine})
        for name in mine:
            for branch, step, body in bodies(states[name]):
                place(body.states, (*path, name, *step, "states"), (name, branch))

    place(spec.workflow.states, ("workflow", "states"), None)
    return spec.workflow.start, placed, tuple(taken)
