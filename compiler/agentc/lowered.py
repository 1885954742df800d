"""The agents of a checked project as the runtime sees them: for checks that need its policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from agentc_runtime import bundle as ir

from .access import Judge, ToolAccess, accesses
from .diagnostics import Diagnostic, Span, is_fundamental, within
from .lower import lower, lower_grant, obstacle
from .program import Agent, Grant, Program
from .resolve import binds_of
from .resources import Resource
from .syntax.permissions import PermissionSetSpec

#: Rules about a grant whose limits, values or conditions can't be meant as they are written.
_OF_GRANTS = frozenset({"AC403", "AC404", "AC405", "AC406", "AC407", "AC413"})


@dataclass(frozen=True)
class Lowered:
    """One agent, with the program that its bundle would hold and the positions in it.

    `misstated` are the tools whose grants say something that was found to be wrong: what they let through is
    not what anybody meant, and not judged.
    """

    agent: Agent
    program: ir.Program
    source_map: ir.SourceMap
    misstated: frozenset[str] = frozenset()

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


def lower_agents(program: Program, found: Iterable[Diagnostic] = ()) -> dict[str, Lowered]:
    """Every agent that can be lowered, by name. What is wrong with the others is among what was `found`."""
    levels = program.project.spec.rules if program.project else {}
    wrong = [
        one.span for one in found if one.code in _OF_GRANTS and levels.get(one.code, one.level) == "error"
    ]
    lowered = (lower_agent(program, agent) for _, agent in sorted(program.agents.items()))
    return {
        one.name: replace(one, misstated=frozenset(_misstated(one.agent, wrong)))
        for one in lowered
        if one is not None
    }


def _misstated(agent: Agent, wrong: Iterable[Span]) -> Iterator[str]:
    for name, grant in agent.grants.items():
        node = grant.permission_set.at("grants", grant.index)
        if node is not None and any(within(span, node.span) for span in wrong):
            yield name


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
