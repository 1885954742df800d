"""`agentc build`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .common import PROJECT_PATH, choose_agent, compile_project, report_errors
from .release import narrowed

if TYPE_CHECKING:
    from ..driver import Result


@click.command("build")
@PROJECT_PATH
@click.option("--agent", "name", help="Build one agent. Without it, every agent of the project.")
@click.option(
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that bundles are written to, each as NAME-VERSION.",
)
@click.option(
    "--against",
    metavar="OLD",
    help="Record in each bundle what it lets its agent do beyond OLD: a folder, a bundle or a git revision.",
)
@click.option(
    "--narrow",
    "narrow",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An environment file that has to fit the agent that it names. May be given again.",
)
@click.option("--tar", is_flag=True, help="Write each bundle as one file, NAME-VERSION.tar.")
def command(
    path: Path, name: str | None, out: Path, against: str | None, narrow: tuple[Path, ...], tar: bool
) -> int:
    """Compile agents into bundles.

    A bundle holds everything the agent may do and nothing else. The same specs give the same bytes on any
    machine. A project with errors is not built. With --against what it lets its agent do beyond an older
    version, and who has accepted that, is a file of the bundle. Exit code 1: the project has errors.

    \b
    Example:
      agentc build support --agent triage --out dist
    """
    from agentc_runtime.verify import load_bundle

    from ..emit import EmitError, write_archive, write_bundle
    from ..pipeline import BuildError, bundle_files

    result = compile_project(path, use_cache=False)
    if not result.ok:
        report_errors(result)
        return 1
    agents = [choose_agent(result, name)] if name else list(result.program.agents.values())
    if not agents:
        raise InputError(f"the project in `{path}` has no agent to build")
    said = _evidence(path, against, result)
    fits = _files(narrow)
    for agent in agents:
        target = out / f"{agent.resource.name}-{agent.resource.metadata.version}{'.tar' if tar else ''}"
        try:
            files = bundle_files(result, agent, said(agent.resource.name))
            for place in fits.get(agent.resource.name, ()):
                narrowed(load_bundle(files), place)
            if tar:
                write_archive(files, target)
            else:
                write_bundle(files, target)
        except (BuildError, EmitError) as error:
            raise InputError(str(error)) from error
        bundle = load_bundle(files)
        size = sum(len(data) for data in files.values())
        click.echo(f"{target}  sha256:{bundle.digest}  {size:,} bytes")
    return 0


def _files(narrow: tuple[Path, ...]) -> dict[str, list[Path]]:
    """Agent → the environment files that are for it."""
    from agentc_runtime.environment_file import EnvironmentFileError, read_environment_file

    found: dict[str, list[Path]] = {}
    for path in narrow:
        try:
            found.setdefault(read_environment_file(path).agent, []).append(path)
        except EnvironmentFileError as error:
            raise InputError(f"--narrow {error}") from error
    return found


def _evidence(path: Path, against: str | None, result: Result) -> Callable[[str], dict[str, bytes]]:
    """Agent → the files of evidence in its bundle."""
    if against is None:
        return lambda agent: {}
    from ..diff.evidence import PRIVILEGES, evidence
    from ..diff.sides import SideError, project_side
    from .diff import side

    old = side(against, str(path), use_cache=False)
    try:
        new = project_side(str(path), [("", "", result)])
    except SideError as error:
        raise InputError(f"`{path}` can't be compared: {error}") from error
    return lambda agent: {PRIVILEGES: evidence(old, new, agent)}
