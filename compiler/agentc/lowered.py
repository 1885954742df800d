"""The agents of a checked project as the runtime sees them: for checks that need its policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from agentc_runtime import bundle as ir

from .access import Judge, ToolAccess, accesses
from .diagnostics import Diagnostic, is_fundamental
from .lower import lower, lower_grant, obstacle
from .program import Agent, Grant, Program
from .resolve import binds_of
from .resources import Resource
from .syntax.permissions import PermissionSetSpec


@dataclass(frozen=True)
class Lowered:
    """One agent, with the program that its bundle would hold and the positions in it."""

    agent: Agent
    program: ir.Program
    source_map: ir.SourceMap

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.agent.resource.name

    @cached_property
    def judge(self) -> Judge:
        """The broker's decision on calls of the agent."""
        return Judge(self.program, self.source_map)

    @cached_property
    def accesses(self) -> Mapping[str, ToolAccess]:
        """Every tool that the agent is granted."""
        return accesses(self.program)


def can_lower(program: Program, found: Iterable[Diagnostic]) -> bool:
    """Whether agents can be lowered: names, schemas and texts are right, and there is somewhere to run.

    Other findings don't matter: a grant that no state uses is still a grant.
    """
    project = program.project
    spoiled = any(one.level == "error" and is_fundamental(one.code) for one in found)
    return project is not None and bool(project.spec.environments) and not spoiled


def lower_agent(program: Program, agent: Agent) -> Lowered | None:
    """One agent of a project of which `can_lower` holds.

    `None` when a tool of its is not known, or when a schema is one that no broker runs with.
    """
    if obstacle(agent) is not None:
        return None
    lowered = Lowered(agent, *lower(program, agent))
    try:
        return lowered if lowered.judge else None
    except ValueError:
        return None


def lower_agents(program: Program) -> dict[str, Lowered]:
    """Every agent that can be lowered, by name. What is wrong with the others is found elsewhere."""
    lowered = (lower_agent(program, agent) for _, agent in sorted(program.agents.items()))
    return {one.name: one for one in lowered if one is not None}


def accesses_of(
    program: Program, permission_set: Resource[PermissionSetSpec], like: Lowered
) -> dict[str, ToolAccess]:
    """What a permission set grants, as if the agent `like` had its grants of the tools that it knows."""
    found: dict[str, ToolAccess] = {}
    for index, spec in enumerate(permission_set.spec.grants):
        tool, known = program.tools.get(spec.tool), like.accesses.get(spec.tool)
        if tool is not None and known is not None and tool.name not in found:
            grant = lower_grant(Grant(permission_set, index, spec, tool, binds_of(permission_set, index)))
            found[tool.name] = ToolAccess(known.tool, grant, known.states)
    return found
