"""What the two arguments of a comparison stand for: projects in a folder or a git revision, or a bundle."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agentc_runtime.bundle import MANIFEST
from agentc_runtime.verify import BundleError, read_bundle

from .values import Acceptance, Owner, Place, Safeguard, Side, Unknown, Version

if TYPE_CHECKING:
    from ..driver import Result
    from ..revisions import Repository


class SideError(Exception):
    """Something that can't be compared. The message says why; `result` holds the findings behind it."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


def is_bundle(path: Path) -> bool:
    """Whether a path is a bundle, or claims to be one: a folder, or one file that is no spec."""
    return (path / MANIFEST).exists() or (path.is_file() and path.suffix not in (".yaml", ".yml"))


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


def project_side(
    label: str,
    projects: Sequence[tuple[str, str, Result]],
    kind: Literal["folder", "revision"] = "folder",
    identity: str = "",
) -> Side:
    """The agents of projects, each with its name among them and what is put before the paths of its files.

    Raises:
        SideError: one of them has errors that leave no permissions to compare.
    """
    from ..lower import obstacle
    from ..lowered import can_lower, lower_agents
    from ..pipeline import agent_sources
    from .acceptance import accepted_of, owners_of
    from .safeguards import safeguards

    agents: dict[str, Version] = {}
    unknown: dict[str, Unknown] = {}
    guards: dict[str, Safeguard] = {}
    owners: list[Owner] = []
    accepted: list[Acceptance] = []
    files: list[str] = []
    for name, base, result in projects:
        program = result.program
        kept = {f"{name} {one.key}": one for one in safeguards(result, base)}
        guards |= kept
        owners += owners_of(program)
        accepted += accepted_of(program, base)
        if not can_lower(program, result.diagnostics):
            raise SideError("the project has errors, so what its agents may do is not known", result)
        lowered = lower_agents(program)
        digest = _digest(f"{path} {file.sha256}" for path, file in result.files.items())
        files.append(f"{name} {digest}")
        for agent, resolved in program.agents.items():
            key = f"{name}/{agent}" if name else agent
            one = lowered.get(agent)
            if one is None:
                why = obstacle(resolved) or "its schemas are none that a broker runs with"
                span = resolved.resource.name_span()
                unknown[key] = Unknown(why, digest, Place(span.file, span.line, base))
                continue
            sources = {file.path: file.sha256 for file in agent_sources(result, resolved)}
            agents[key] = Version(one.program, one.source_map, sources, base)
    return Side(
        label,
        agents,
        kind,
        identity or f"files sha256:{_digest(files)}",
        unknown,
        frozenset(name for name, _, _ in projects),
        guards,
        tuple(owners),
        tuple(accepted),
    )


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def folder_side(label: str, path: Path, cache: Path | None) -> Side:
    """The agents of the projects at or below a folder, or of the one that it is in.

    Raises:
        SideError: there is none, or as `project_side`.
    """
    from ..driver import check_project
    from ..load import find_projects

    roots = find_projects(path)
    if not roots:
        raise SideError("there is no project: a project is a folder with an `agentc.yaml`")
    names = _names([root.as_posix() for root in roots], path.resolve().as_posix())
    here = Path.cwd()
    projects = []
    for name, root in zip(names, roots, strict=True):
        base = root.relative_to(here).as_posix() if root.is_relative_to(here) else root.as_posix()
        projects.append((name, "" if base == "." else f"{base}/", check_project(root, cache=cache)))
    return project_side(label, projects)


def revision_side(label: str, repository: Repository, commit: str, folder: str, cache: Path | None) -> Side:
    """The agents of the projects at or below a folder of a commit, or of the one that it is in.

    Raises:
        SideError: there is none, git can't read it, or as `project_side`.
    """
    from ..driver import check_loaded
    from ..load import sources_of
    from ..revisions import RevisionError, Tree

    try:
        for start in _upwards(folder):
            with Tree(repository, commit, start) as tree:
                roots = [root for root in tree.roots() if start in (folder, root)]
                names = _names(roots, start)
                projects = []
                for name, root in zip(names, roots, strict=True):
                    found = sources_of(repository.top / root, tree.candidates(root))
                    result = check_loaded(*found, cache=cache, read=partial(tree.read, root))
                    shown = posixpath.join(root, "") if root else ""
                    projects.append((name, f"{label.partition(':')[0]}:{shown}", result))
            if projects:
                return project_side(label, projects, "revision", f"commit {commit}")
    except RevisionError as error:
        raise SideError(str(error)) from error
    raise SideError(f"there is no project in `{folder or '.'}` of the revision")


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def _names(roots: Sequence[str], start: str) -> list[str]:
    """What tells projects apart: their paths below where they were looked for."""
    return [
        posixpath.relpath(root, start or ".") if root != start and _is_below(root, start) else ""
        for root in roots
    ]


def _is_below(root: str, start: str) -> bool:
    return not start or root.startswith(start.rstrip("/") + "/")
