"""`agentc diff`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from ..diff.acceptance import Accepted
    from ..diff.values import Delta, Side


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How it is written; markdown is for a comment on a pull request.",
)
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    type=click.Choice(["widened", "version"]),
    help="Exit with 1 when agents may do more and nobody who may has accepted it, or when a version is too "
    "low for its changes. Repeatable.",
)
def command(old: str, new: str, format_: str, fail_on: tuple[str, ...]) -> int:
    """Say what a change lets agents do.

    OLD and NEW are each a folder with projects, a bundle, or a git revision such as `main`, of which the
    folder of the other side is read; `main:specs` names another one. What is compared is what agents may do
    in effect, whatever file says so. What can't be decided counts as wider. Exit code 1: with --fail-on,
    what it names; 2: one of the two can't be read, or has errors that leave no permissions to compare.

    \b
    Example:
      agentc diff main specs/support --fail-on widened
    """
    from datetime import UTC, datetime

    from ..diff.acceptance import judge
    from ..diff.compare import compare

    delta = compare(*sides(old, new))
    accepted = judge(delta, datetime.now(UTC).date().isoformat())
    _print(delta, accepted, format_)
    failed = ("widened" in fail_on and bool(accepted.open)) or (
        "version" in fail_on and not all(bump.enough for bump in delta.bumps)
    )
    return 1 if failed else 0


def _print(delta: Delta, accepted: Accepted, format_: str) -> None:
    if format_ == "json":
        from ..diff.data import as_data

        click.echo(json.dumps(as_data(delta, accepted), indent=2, ensure_ascii=False))
        return
    if format_ == "markdown":
        from ..diff.markdown import as_markdown

        click.echo(as_markdown(delta, accepted), nl=False)
        return
    from ..diff.text import as_text
    from ..report.text import painter
    from .options import is_colored

    color = is_colored()
    click.echo(as_text(delta, accepted, painter(color)), nl=False, color=True if color else None)


def sides(old: str, new: str) -> tuple[Side, Side]:
    """What the two arguments stand for.

    Raises:
        InputError: one of them can't be read, or may be two things.
    """
    return side(old, new), side(new, old)


def side(argument: str, other: str, *, use_cache: bool = True) -> Side:
    """What one argument stands for, beside the other one.

    Raises:
        InputError: it can't be read, or may be two things.
    """
    from ..cache import cache_folder
    from ..diff.arguments import Ambiguous, Unknown, read_argument
    from ..diff.sides import SideError

    try:
        return read_argument(argument, other, cache_folder() if use_cache else None)
    except (Ambiguous, Unknown) as error:
        raise InputError(str(error)) from error
    except SideError as error:
        if error.result is not None:
            from .common import report_errors

            report_errors(error.result)
        raise InputError(f"`{argument}` can't be compared: {error}") from error
