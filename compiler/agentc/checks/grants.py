"""What the checks of grants share: every grant of the project once, whoever uses its permission set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from agentc_runtime.expressions import Const

from ..diagnostics import Span, nearest
from ..predicates import FROM
from ..program import Agent, Program, SchemaData, Tool
from ..references import compile_expr
from ..resources import Resource, Step
from ..schematypes import properties_of, type_at
from ..syntax.permissions import GrantSpec, PermissionSetSpec


@dataclass(frozen=True)
class DeclaredGrant:
    """A grant of a tool that exists, as it stands in its permission set."""

    permission_set: Resource[PermissionSetSpec]
    index: int
    spec: GrantSpec
    tool: Tool

    def span(self, *path: Step, key: bool = False) -> Span:
        """The span of something in the grant."""
        return self.permission_set.span("grants", self.index, *path, key=key)

    def arguments(self) -> frozenset[str] | None:
        """The tool's arguments, or `None` when its operation is not known."""
        return properties_of(self.tool.operation.arguments) if self.tool.operation else None

    def argument(self, name: str) -> SchemaData | None:
        """The tool's own schema of one argument, or `None` when there is no such argument."""
        return type_at(self.tool.operation.arguments, (name,)) if self.tool.operation else None

    def unless(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """The exceptions to the flow rule, by argument."""
        flow = self.spec.untrusted_to_effect
        return (flow.unless if flow else None) or {}

    def is_settled(self, name: str) -> bool:
        """Whether the grant sets the argument, lists its values, or says where they come from."""
        return name in self.spec.bind or settles(self.spec.where.get(name, {}))

    def constant(self, name: str) -> Const | None:
        """The value that the argument is bound to, if it stands in the spec."""
        node = self.permission_set.at("grants", self.index, "bind", name)
        if node is None:
            return None
        bound = compile_expr(node)
        return bound.expr if isinstance(bound.expr, Const) and not bound.references + bound.problems else None


def settles(limit: Mapping[str, object]) -> bool:
    """Whether a limit lists the values of its argument, or says where they come from."""
    return bool({"const", "enum", FROM} & limit.keys())


def declared_grants(program: Program) -> Iterator[DeclaredGrant]:
    """Every grant of an existing tool, used or not."""
    for permission_set in program.permission_sets.values():
        for index, spec in enumerate(permission_set.spec.grants):
            tool = program.tools.get(spec.tool)
            if tool is not None:
                yield DeclaredGrant(permission_set, index, spec, tool)


def misnamed(name: str, unknown: Iterable[str]) -> bool:
    """Whether one of the unknown names was probably meant to be `name`, and is reported as that."""
    return any(nearest(other, [name]) for other in unknown)


def all_sets_known(program: Program, agent: Agent) -> bool:
    """Whether every permission set that the agent names could be read."""
    return all(name in program.permission_sets for name in agent.spec.permissions)


def agents_known(program: Program) -> bool:
    """Whether there are agents, all of them could be read, and so could all that they name.

    Only then can be told what no agent uses. Of two resources with one name the second is not looked at.
    """
    broken = program.broken
    return (
        bool(program.agents)
        and program.project is not None
        and not program.duplicates
        and not broken.unreadable
        and not any(kind in ("Agent", "PermissionSet") for kind, _ in broken.names)
        and all(all_sets_known(program, agent) for agent in program.agents.values())
    )
