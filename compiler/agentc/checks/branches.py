"""What the checks of choices share: which values a branch looks at, and which are taken before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agentc_runtime.expressions import Ref

from ..coverage import always_there, finite, gap, takes, takes_all
from ..expression_types import inlined
from ..predicates import match_when
from ..program import Agent, SchemaData, State
from ..schematypes import type_at
from ..syntax.workflow import ChoiceStateSpec


class _Looked(NamedTuple):
    """The value that a branch looks at: its path, its schema, and whether it is always there."""

    path: tuple[str, ...]
    schema: SchemaData
    there: bool


def _looked(agent: Agent, state: State, index: int) -> _Looked | None:
    """What branch `index` looks at; `None` when its reference leads nowhere, which others report."""
    bound = state.exprs[f"choices/{index}/value"]
    if not isinstance(bound.expr, Ref):
        return None
    root, *steps = bound.expr.path
    schema = agent.environment.get(root)
    if root == "states":
        # AC604 sees to it that the state has run: from its output on, the schema says what is there.
        schema = agent.states[steps[0]].output if steps[0] in agent.states else None
        steps = steps[2:]
    found = type_at(schema, steps) if schema is not None else None
    if schema is None or found is None:
        return None
    return _Looked(bound.expr.path, found, always_there(schema, steps))


def choice_gap(agent: Agent, state: State, spec: ChoiceStateSpec) -> str | None:
    """A value that no branch takes, in words; `None` when there is none, or when it can't be looked at."""
    whens: dict[tuple[str, ...], list[SchemaData]] = {}
    looks: dict[tuple[str, ...], _Looked] = {}
    for index, choice in enumerate(spec.choices):
        looked = _looked(agent, state, index)
        if looked is None:
            return None
        looks[looked.path] = looked
        whens.setdefault(looked.path, []).append(dict(choice.when))
    problems = []
    for path, looked in looks.items():
        name = "${" + ".".join(path) + "}"
        problem = gap(looked.schema, whens[path])
        if problem is None and looked.there:
            return None
        problems.append(f"{problem} of `{name}`" if problem else f"a `{name}` that is absent")
    return problems[0]


def never_holding(agent: Agent, state: State, spec: ChoiceStateSpec) -> Iterator[tuple[int, SchemaData]]:
    """The branches whose condition no value satisfies that they may look at, each with what it looks at."""
    from ..subsumption import Included, Intersection, includes

    for index, choice in enumerate(spec.choices):
        looked = _looked(agent, state, index)
        if looked is None:
            continue
        both = Intersection((inlined(looked.schema, answer=True), match_when(dict(choice.when))))
        if isinstance(includes(False, both), Included):
            yield index, looked.schema


def dead_branches(agent: Agent, state: State, spec: ChoiceStateSpec) -> Iterator[tuple[int, int]]:
    """The branches that are never taken, each with an earlier one that takes its values."""
    before: list[tuple[int, _Looked, SchemaData]] = []
    for index, choice in enumerate(spec.choices):
        looked = _looked(agent, state, index)
        if looked is None:
            continue
        when: SchemaData = dict(choice.when)
        found = _taken(looked, when, before)
        if found is not None:
            yield index, found
        before.append((index, looked, when))


def _taken(looked: _Looked, when: SchemaData, before: list[tuple[int, _Looked, SchemaData]]) -> int | None:
    for index, other, taken in before:
        same = other.path == looked.path
        if takes_all(other.schema, taken) and (same or other.there):
            return index
        if same and taken == when:
            return index
    values = finite(when)
    rivals = [(index, taken) for index, other, taken in before if other.path == looked.path]
    if not values or not all(any(takes(taken, value) for _, taken in rivals) for value in values):
        return None
    return next(index for index, taken in rivals if takes(taken, values[0]))
