"""What several commands share: finding projects, checking them, and the paths in their reports."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ..cache import cache_folder, recall, remember
from ..diagnostics import Diagnostic, did_you_mean
from ..load import find_projects, load_project
from ..report.findings import Report
from ..source import SourceFile
from . import InputError

if TYPE_CHECKING:
    from ..driver import Result
    from ..program import Agent

F = TypeVar("F", bound=Callable[..., object])

PROJECT_PATHS = click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATHS]..."
)
PROJECT_PATH = click.argument(
    "path", default=".", type=click.Path(exists=True, path_type=Path), metavar="[PATH]"
)


def roots_of(paths: tuple[Path, ...]) -> list[Path]:
    """The projects at or below the paths, in order and each once.

    Raises:
        InputError: a path holds no project.
    """
    roots: dict[Path, None] = {}
    for path in paths or (Path(),):
        found = find_projects(path)
        if not found:
            raise InputError(
                f"no project in `{path}`: a project is a folder with an `agentc.yaml`; "
                f"`agentc init {path if path.is_dir() else path.parent}` writes one"
            )
        roots.update(dict.fromkeys(found))
    return list(roots)


def check_all(paths: tuple[Path, ...], *, use_cache: bool) -> list[Report]:
    """Check every project at or below the paths."""
    folder = cache_folder() if use_cache else None
    return [
        Report(shown_prefix(root), diagnostics, files)
        for root in roots_of(paths)
        for diagnostics, files in (_check(root, folder),)
    ]


def check_results(paths: tuple[Path, ...], *, use_cache: bool) -> list[Result]:
    """Check every project at or below the paths for a command that needs them whole."""
    from ..driver import check_project

    folder = cache_folder() if use_cache else None
    return [check_project(root, cache=folder) for root in roots_of(paths)]


def report_of(result: Result) -> Report:
    """What is reported of a project."""
    return Report(shown_prefix(result.program.root), result.diagnostics, result.files)


def _check(root: Path, folder: Path | None) -> tuple[tuple[Diagnostic, ...], Mapping[str, SourceFile]]:
    loaded = load_project(root)
    if folder is not None and not loaded[1]:
        recalled = recall(loaded[0], folder)
        if recalled is not None:
            return recalled
    from ..driver import check_loaded

    result = check_loaded(*loaded, cache=folder)
    if folder is not None and not loaded[1]:
        remember(loaded[0], result, folder)
    return result.diagnostics, result.files


def compile_project(path: Path, *, use_cache: bool = True) -> Result:
    """Check one project for a command that needs it whole.

    Without the cache every document is compiled from its bytes: what is built depends on nothing else.

    Raises:
        InputError: there is no project, or more than one.
    """
    from ..driver import check_project

    return check_project(project_root(path), cache=cache_folder() if use_cache else None)


def project_root(path: Path) -> Path:
    """The root of the one project at or below a path.

    Raises:
        InputError: there is no project, or more than one.
    """
    roots = roots_of((path,))
    if len(roots) > 1:
        names = ", ".join(f"`{root}`" for root in roots)
        raise InputError(f"`{path}` holds several projects: name one of {names}")
    return roots[0]


def report_errors(result: Result) -> None:
    """Print a project's findings to standard error, for commands that go on only without errors."""
    from ..report import render

    click.echo(render("text", [report_of(result)], color=sys.stderr.isatty()), err=True, nl=False)


def choose_agent(result: Result, name: str | None) -> Agent:
    """The agent of that name, or the only one.

    Raises:
        InputError: there is no such agent, or several and no name.
    """
    agents = result.program.agents
    if name is not None:
        if name not in agents:
            hint = f"; {did_you_mean(name, agents)}" if agents else ", which has none"
            raise InputError(f"no agent `{name}` in this project{hint}")
        return agents[name]
    if len(agents) != 1:
        names = ", ".join(f"`{agent}`" for agent in sorted(agents)) or "none"
        raise InputError(f"say which agent: the project has {names}")
    return next(iter(agents.values()))


def chosen_agents(result: Result, names: tuple[str, ...]) -> list[Agent]:
    """The agents of these names, or all, by name.

    Raises:
        InputError: there is no such agent, or none at all.
    """
    agents = result.program.agents
    for name in names:
        if name not in agents:
            hint = f"; {did_you_mean(name, agents)}" if agents else ", which has none"
            raise InputError(f"no agent `{name}` in this project{hint}")
    if not agents:
        raise InputError("the project has no agent")
    return [agents[name] for name in names or sorted(agents)]


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files into a folder, which is made, and say so.

    Raises:
        InputError: one can't be written.
    """
    for name, text in files.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"can't write `{target}`: {error.strerror}") from error
        click.echo(target.as_posix())


def shown_prefix(root: Path) -> str:
    """How the project's paths begin when they are shown: relative to the current folder where that works."""
    resolved = root.resolve()
    try:
        relative = resolved.relative_to(Path.cwd())
    except ValueError:
        return f"{resolved.as_posix()}/"
    return "" if relative == Path() else f"{relative.as_posix()}/"
