"""Every place where an author writes a JSON Schema, checked once, each problem a finding at its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .checks import ac301_unknown_schema_keyword, ac302_invalid_schema, ac303_unsupported_pattern
from .diagnostics import Diagnostic, Span
from .predicates import check_schema
from .resources import Resource, Step
from .source import span_at
from .syntax.agent import AgentSpec
from .syntax.common import Closed
from .syntax.permissions import PermissionSetSpec
from .syntax.workflow import AgentStateSpec, ChoiceStateSpec, ModelStateSpec

_RULES = {
    rule.code: rule
    for rule in (ac301_unknown_schema_keyword.RULE, ac302_invalid_schema.RULE, ac303_unsupported_pattern.RULE)
}


class SchemaFindings(NamedTuple):
    """What is wrong with schemas (AC301, AC302, AC303), and the spans of those schemas."""

    found: tuple[Diagnostic, ...]
    broken: frozenset[Span]


def schema_findings(resources: Iterable[Resource[Closed]]) -> SchemaFindings:
    """Check the schemas of agents and permission sets."""
    found: list[Diagnostic] = []
    broken: set[Span] = set()
    for resource in resources:
        for path, references in schema_places(resource):
            node = resource.at(*path)
            assert node is not None
            for problem in check_schema(node, references=references):
                span = span_at(node, problem.path, key=problem.key) if problem.path else node.span
                found.append(_RULES[problem.code].at(span, problem.message, help=problem.help))
                broken.add(node.span)
    return SchemaFindings(tuple(found), frozenset(broken))


def schema_places(resource: Resource[Closed]) -> Iterator[tuple[tuple[Step, ...], bool]]:
    """The path of each schema, and whether it may have `$defs`: data may, limits stand as they are read."""
    spec = resource.spec
    if isinstance(spec, PermissionSetSpec):
        for index, grant in enumerate(spec.grants):
            for argument in grant.where:
                yield ("grants", index, "where", argument), False
            when = grant.approval.when if grant.approval else None
            for argument in when or ():
                yield ("grants", index, "approval", "when", argument), False
    elif isinstance(spec, AgentSpec):
        for name in ("input", "session", "output"):
            if getattr(spec, name) is not None:
                yield (name, "schema"), True
        for state, step in spec.workflow.states.items() if spec.workflow else ():
            path = ("workflow", "states", state)
            if isinstance(step, AgentStateSpec | ModelStateSpec) and step.output is not None:
                yield (*path, "output", "schema"), True
            elif isinstance(step, ChoiceStateSpec):
                for index in range(len(step.choices)):
                    yield (*path, "choices", index, "when"), False
