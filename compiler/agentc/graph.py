"""The workflow of an agent as a graph: who follows whom, what is reached, what goes round in circles.

Names that lead nowhere are not in the graph, and `complete` says so: what they were meant to reach would
look unreachable, and that is one mistake and not two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from .program import Agent, State
from .resources import Step
from .stepping import starts, transitions
from .syntax.workflow import EndStateSpec


class Edge(NamedTuple):
    """One way from a state to another. `path` is where the target is named, below the agent's spec."""

    source: str
    target: str
    kind: Literal["next", "answer", "catch", "choice", "default", "branch"]
    path: tuple[Step, ...]


@dataclass(frozen=True)
class Graph:
    """The edges out of each state, states in source order. `complete`: every name led to a state.

    An edge of the kind `branch` leads into a workflow inside a state, and none leads out: when that is over,
    the state around it goes on.
    """

    start: str
    edges: Mapping[str, tuple[Edge, ...]]
    ends: frozenset[str]
    complete: bool

    @cached_property
    def reached(self) -> frozenset[str]:
        """The states that some path from the start leads to."""
        return _closure([self.start] if self.start in self.edges else [], self.successors)

    @cached_property
    def ending(self) -> frozenset[str]:
        """The states that some path leads from to an end of the workflow that they are part of."""
        return _closure(self.ends, self.before)

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """The states that can follow each state."""
        return {name: tuple(edge.target for edge in edges) for name, edges in self.edges.items()}

    @cached_property
    def before(self) -> Mapping[str, tuple[str, ...]]:
        """The states that can come before each state in the same workflow."""
        before: dict[str, list[str]] = {name: [] for name in self.edges}
        for edges in self.edges.values():
            for edge in edges:
                if edge.kind != "branch":
                    before[edge.target].append(edge.source)
        return {name: tuple(names) for name, names in before.items()}

    @cached_property
    def predecessors(self) -> Mapping[str, tuple[str, ...]]:
        """The states that can come before each state."""
        before: dict[str, list[str]] = {name: [] for name in self.edges}
        for name, following in self.successors.items():
            for target in following:
                before[target].append(name)
        return {name: tuple(names) for name, names in before.items()}


def workflow_graph(agent: Agent) -> Graph:
    """The graph of an agent's states."""
    named = {name: _edges(state) for name, state in agent.states.items()}
    edges = {
        name: tuple(edge for edge in found if edge.target in agent.states) for name, found in named.items()
    }
    return Graph(
        start=agent.start,
        edges=edges,
        ends=frozenset(n for n, state in agent.states.items() if isinstance(state.spec, EndStateSpec)),
        complete=agent.start in agent.states
        and edges == named
        and not agent.twice
        and not _left(agent, edges),
    )


def _left(agent: Agent, edges: Mapping[str, tuple[Edge, ...]]) -> bool:
    """Whether a state goes on in another workflow than its own."""
    found = (edge for leaving in edges.values() for edge in leaving if edge.kind != "branch")
    states = agent.states
    return any(states[edge.source].inside != states[edge.target].inside for edge in found)


def around(agent: Agent, state: State) -> tuple[str, ...]:
    """The states whose branches a state is part of, the nearest first."""
    found: list[str] = []
    while state.inside is not None:
        state = agent.states[state.inside[0]]
        found.append(state.name)
    return tuple(found)


def _edges(state: State) -> tuple[Edge, ...]:
    name, path = state.name, state.path
    going = (Edge(name, target, _KINDS[step[0]], (*path, *step)) for target, step in transitions(state.spec))
    inside = (Edge(name, start, "branch", (*path, *step)) for _, start, step in starts(state.spec))
    return (*inside, *going)


_KINDS: Mapping[object, Literal["next", "answer", "catch", "choice", "default"]] = {
    "next": "next",
    "rejected": "answer",
    "expired": "answer",
    "catch": "catch",
    "choices": "choice",
    "default": "default",
}


def reach(graph: Graph, first: Iterable[str]) -> frozenset[str]:
    """These states and all that can follow them."""
    return _closure(first, graph.successors)


def _closure(first: Iterable[str], following: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    found = set(first)
    waiting = list(found)
    while waiting:
        for target in following[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return frozenset(found)


def path_without(graph: Graph, here: str, missing: str) -> tuple[Edge, ...] | None:
    """A shortest path from the start to `here` on which `missing` has not succeeded, or `None`.

    A state has an output once it is left by its `next`; left by a `catch` it has none. The path to the
    start itself is empty.
    """
    came: dict[str, Edge | None] = {}
    if graph.start in graph.edges:
        came[graph.start] = None
    waiting = deque(came)
    while waiting and here not in came:
        name = waiting.popleft()
        for edge in graph.edges[name]:
            succeeded = name == missing and edge.kind in ("next", "answer")
            if not succeeded and edge.target not in came:
                came[edge.target] = edge
                waiting.append(edge.target)
    if here not in came:
        return None
    path: list[Edge] = []
    step = came[here]
    while step is not None:
        path.append(step)
        step = came[step.source]
    return tuple(reversed(path))


_HOW = {"catch": " (fails)", "branch": " (inside)"}


def show_path(graph: Graph, path: tuple[Edge, ...]) -> str:
    """The states of a path in words: `` `a` → `b` (fails) → `c` ``."""
    steps = [f"`{edge.source}`" + (_HOW.get(edge.kind, "")) for edge in path]
    last = path[-1].target if path else graph.start
    return " → ".join([*steps, f"`{last}`"])


def components(graph: Graph, within: frozenset[str]) -> list[tuple[str, ...]]:
    """The strongly connected components of the part `within`, and in each the states, in source order."""
    order: list[str] = []
    seen: set[str] = set()
    for root in graph.edges:
        if root not in within or root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(graph.successors[root]))]
        while stack:
            name, targets = stack[-1]
            target = next((t for t in targets if t in within and t not in seen), None)
            if target is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(graph.successors[target])))
    place = {name: index for index, name in enumerate(graph.edges)}
    taken: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in reversed(order):
        if root in taken:
            continue
        group = {root}
        waiting = [root]
        while waiting:
            for name in graph.predecessors[waiting.pop()]:
                if name in within and name not in taken and name not in group:
                    group.add(name)
                    waiting.append(name)
        taken |= group
        found.append(tuple(sorted(group, key=place.__getitem__)))
    return sorted(found, key=lambda group: place[group[0]])


def endless_cycles(graph: Graph) -> list[tuple[str, ...]]:
    """The reachable cycles that nothing leads out of. Without complete names there is nothing to tell."""
    if not graph.complete:
        return []
    trapped = graph.reached - graph.ending
    return [
        group
        for group in components(graph, trapped)
        if all(edge.target in group for name in group for edge in graph.edges[name] if edge.kind != "branch")
    ]
