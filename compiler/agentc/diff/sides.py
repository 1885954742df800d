"""What the two arguments of a comparison stand for: projects in a folder or a git revision, or a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agentc_runtime.bundle import MANIFEST
from agentc_runtime.verify import BundleError, read_bundle

from .values import Side, Version

if TYPE_CHECKING:
    from ..driver import Result


class SideError(Exception):
    """Something that can't be compared. The message says why; `result` holds the findings behind it."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


def is_bundle(path: Path) -> bool:
    """Whether a folder is a bundle, or claims to be one."""
    return (path / MANIFEST).exists()


def bundle_side(path: Path) -> Side:
    """The agent of a bundle.

    Raises:
        SideError: it can't be read, or is not as it was built.
    """
    try:
        bundle = read_bundle(path)
    except BundleError as error:
        raise SideError(f"`{path}` is not a bundle that can be read: {error}") from error
    sources = {source.path: source.sha256 for source in bundle.manifest.sources}
    version = Version(bundle.program, bundle.source_map, sources)
    return Side(str(path), {bundle.program.agent.name: version}, "bundle", f"sha256:{bundle.digest}")


def versions_of(result: Result, base: str) -> Mapping[str, Version]:
    """The agents of a checked project.

    Raises:
        SideError: what one of them may do is not known.
    """
    from ..lowered import can_lower, lower_agents
    from ..pipeline import agent_sources

    program = result.program
    if not can_lower(program, result.diagnostics):
        raise SideError("the project has errors, so what its agents may do is not known", result)
    lowered = lower_agents(program)
    if missing := sorted(program.agents.keys() - lowered.keys()):
        names = ", ".join(f"`{name}`" for name in missing)
        raise SideError(f"what agent {names} may do is not known", result)
    found = {}
    for name, one in lowered.items():
        sources = {file.path: file.sha256 for file in agent_sources(result, one.agent)}
        found[name] = Version(one.program, one.source_map, sources, base)
    return found


def project_side(label: str, projects: Iterable[tuple[str, str, Result]]) -> Side:
    """The agents of projects, each with its name among them and what is put before the paths of its files.

    Raises:
        SideError: as `versions_of`.
    """
    agents: dict[str, Version] = {}
    for name, base, result in projects:
        for agent, version in versions_of(result, base).items():
            agents[f"{name}/{agent}" if name else agent] = version
    return Side(label, agents, "folder")
