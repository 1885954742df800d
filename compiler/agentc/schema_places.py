"""Every place where an author writes a JSON Schema, checked once, each problem a finding at its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .checks import ac301_unknown_schema_keyword, ac302_invalid_schema, ac303_unsupported_pattern
from .diagnostics import Diagnostic, Span
from .predicates import SchemaProblem, check_schema
from .resources import Resource, Step
from .source import Map, Node, Scalar, span_at
from .syntax.agent import AgentSpec
from .syntax.assertions import AssertionSetSpec
from .syntax.common import Closed
from .syntax.permissions import PermissionSetSpec
from .syntax.toolset import ToolsetSpec
from .syntax.workflow import (
    AgentStateSpec,
    ChoiceStateSpec,
    ModelStateSpec,
    StateSpec,
    VerifyStateSpec,
    bodies,
)

_RULES = {
    rule.code: rule
    for rule in (ac301_unknown_schema_keyword.RULE, ac302_invalid_schema.RULE, ac303_unsupported_pattern.RULE)
}


class SchemaPlace(NamedTuple):
    """The path of a schema below `spec`. `references`: data may have `$defs`, limits stand as they are read.
    `origins`: the limit of an argument may say `from`.
    `pattern`: a pattern stands there, and no schema around it."""

    path: tuple[Step, ...]
    references: bool = False
    origins: bool = False
    pattern: bool = False


class SchemaFindings(NamedTuple):
    """What is wrong with schemas (AC301, AC302, AC303), and the spans of those schemas."""

    found: tuple[Diagnostic, ...]
    broken: frozenset[Span]


def schema_findings(resources: Iterable[Resource[Closed]]) -> SchemaFindings:
    """Check the schemas of agents, permission sets and toolsets."""
    found: list[Diagnostic] = []
    broken: set[Span] = set()
    for resource in resources:
        for place in schema_places(resource):
            node = resource.at(*place.path)
            assert node is not None
            for problem in problems_at(node, place):
                at = problem.path and not place.pattern
                span = span_at(node, problem.path, key=problem.key) if at else node.span
                found.append(_RULES[problem.code].at(span, problem.message, help=problem.help))
                broken.add(node.span)
    return SchemaFindings(tuple(found), frozenset(broken))


def problems_at(node: Node, place: SchemaPlace) -> list[SchemaProblem]:
    """What is wrong with the schema, or the pattern, at a place."""
    if place.pattern:
        return check_schema(Map({"pattern": (Scalar("pattern", node.span, "pattern"), node)}, node.span))
    return check_schema(node, references=place.references, origins=place.origins)


def schema_places(resource: Resource[Closed]) -> Iterator[SchemaPlace]:
    """Where a resource has schemas."""
    spec = resource.spec
    if isinstance(spec, PermissionSetSpec):
        yield from _of_grants(spec)
    elif isinstance(spec, ToolsetSpec):
        for name, tool in spec.tools.items():
            if tool.output.typed is not None:
                yield SchemaPlace(("tools", name, "output", "typed"), references=True)
    elif isinstance(spec, AssertionSetSpec):
        for index, call in enumerate(spec.never.calls):
            for argument in call.when:
                yield SchemaPlace(("never", "calls", index, "when", argument))
    elif isinstance(spec, AgentSpec):
        yield from _of_agent(spec)
    elif resource.kind == "Eval":
        from .evals.schemas import places_of_eval

        yield from places_of_eval(spec)


def _of_grants(spec: PermissionSetSpec) -> Iterator[SchemaPlace]:
    for index, grant in enumerate(spec.grants):
        for argument in grant.where:
            yield SchemaPlace(("grants", index, "where", argument), origins=True)
        when = grant.approval.when if grant.approval else None
        for argument in when or ():
            yield SchemaPlace(("grants", index, "approval", "when", argument))
        flow = grant.untrusted_to_effect
        for argument in (flow.unless if flow else None) or ():
            yield SchemaPlace(("grants", index, "untrusted_to_effect", "unless", argument), origins=True)


def _of_agent(spec: AgentSpec) -> Iterator[SchemaPlace]:
    for name in ("input", "session", "output"):
        if getattr(spec, name) is not None:
            yield SchemaPlace((name, "schema"), references=True)
    yield from _of_states(spec.workflow.states if spec.workflow else {}, ("workflow", "states"))


def _of_states(states: Mapping[str, StateSpec], above: tuple[Step, ...]) -> Iterator[SchemaPlace]:
    for state, step in states.items():
        path = (*above, state)
        for _, inner, body in bodies(step):
            yield from _of_states(body.states, (*path, *inner, "states"))
        if isinstance(step, VerifyStateSpec) and step.schema_ is not None:
            yield SchemaPlace((*path, "schema"), references=True)
        if isinstance(step, AgentStateSpec | ModelStateSpec) and step.output is not None:
            yield SchemaPlace((*path, "output", "schema"), references=True)
        elif isinstance(step, ChoiceStateSpec):
            for index in range(len(step.choices)):
                yield SchemaPlace((*path, "choices", index, "when"))
