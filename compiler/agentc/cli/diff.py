"""`agentc diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from ..diff.values import Side


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--fail-on",
    type=click.Choice(["widened"]),
    help="Exit with 1 when agents may do more than before.",
)
def command(old: str, new: str, fail_on: str | None) -> int:
    """Say what a change lets agents do.

    OLD and NEW are each a folder with projects, or a bundle. What is compared is what agents may do in
    effect, whatever file says so. What can't be decided counts as wider. Exit code 1: with --fail-on, agents
    may do more; 2: one of the two can't be read, or has errors that leave no permissions to compare.

    \b
    Example:
      agentc diff dist/triage-1.0.0 specs/support --fail-on widened
    """
    from ..diff.compare import compare
    from ..diff.text import as_text
    from ..report.text import painter
    from .options import is_colored

    delta = compare(_side(old), _side(new))
    color = is_colored()
    click.echo(as_text(delta, painter(color)), nl=False, color=True if color else None)
    return 1 if fail_on == "widened" and delta.widenings else 0


def _side(argument: str) -> Side:
    from ..diff.sides import SideError, bundle_side, is_bundle

    path = Path(argument)
    if not path.exists():
        raise InputError(f"no folder `{argument}`")
    try:
        return bundle_side(path) if is_bundle(path) else _folder(argument, path)
    except SideError as error:
        if error.result is not None:
            from .common import report_errors

            report_errors(error.result)
        raise InputError(f"`{argument}` can't be compared: {error}") from error


def _folder(argument: str, path: Path) -> Side:
    from ..cache import cache_folder
    from ..diff.sides import project_side
    from ..driver import check_project
    from .common import roots_of, shown_prefix

    roots = roots_of((path,))
    cache = cache_folder()
    start = path.resolve()
    projects = []
    for root in roots:
        name = root.relative_to(start).as_posix() if root.is_relative_to(start) and len(roots) > 1 else ""
        projects.append(("" if name == "." else name, shown_prefix(root), check_project(root, cache=cache)))
    return project_side(argument, projects)
