"""From a checked project to the files of one agent's bundle."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .driver import Result
from .emit import emit
from .environments import authority_files
from .lower import lower, obstacle
from .program import Agent
from .source import SourceFile


class BuildError(Exception):
    """An agent that can't be built although its project has no errors. The message is one line."""


def bundle_files(
    result: Result, agent: Agent, evidence: Mapping[str, bytes] = MappingProxyType({})
) -> dict[str, bytes]:
    """The bundle of `agent`, as path → bytes. The project must be without errors.

    `evidence` are files that say something about the agent, by their path in the bundle.

    Raises:
        BuildError: a tool that the agent is granted is not known, or its server is not, because the project
            has made the findings about them less than errors.
    """
    problem = obstacle(agent)
    if problem is not None:
        raise BuildError(
            f"agent `{agent.resource.name}` can't be built: {problem}; `agentc validate` says why"
        )
    program, source_map = lower(result.program, agent)
    return emit(program, source_map, agent_sources(result, agent), evidence)


def agent_sources(result: Result, agent: Agent) -> list[SourceFile]:
    """The files that went into the agent: its own specs and what they refer to, not its neighbours'."""
    program = result.program
    toolsets = {grant.tool.toolset.name for grant in agent.grants.values()}
    used = {agent.resource.file.path}
    if program.project is not None:
        used.add(program.project.file.path)
        used.update(path for path in authority_files(program.project.spec) if path in program.files)
    used |= {resource.file.path for resource in agent.permission_sets}
    for name in toolsets:
        toolset = program.toolsets[name]
        used.add(toolset.resource.file.path)
        if toolset.file is not None:
            used.add(toolset.file.path)
        used |= {overlay.path for overlay in toolset.overlays}
        used.update(toolset.parts)
    used |= agent.prompt_files
    return [result.files[path] for path in sorted(used)]
