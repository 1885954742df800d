"""`agentc diff`."""

from __future__ import annotations

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

    OLD and NEW are each a folder with projects, a bundle, or a git revision such as `main`, of which the
    folder of the other side is read; `main:specs` names another one. What is compared is what agents may do
    in effect, whatever file says so. What can't be decided counts as wider. Exit code 1: with --fail-on,
    agents may do more; 2: one of the two can't be read, or has errors that leave no permissions to compare.

    \b
    Example:
      agentc diff main specs/support --fail-on widened
    """
    from ..diff.compare import compare
    from ..diff.text import as_text
    from ..report.text import painter
    from .options import is_colored

    delta = compare(*sides(old, new))
    color = is_colored()
    click.echo(as_text(delta, painter(color)), nl=False, color=True if color else None)
    return 1 if fail_on == "widened" and delta.widenings else 0


def sides(old: str, new: str) -> tuple[Side, Side]:
    """What the two arguments stand for.

    Raises:
        InputError: one of them can't be read, or may be two things.
    """
    from ..diff.arguments import Ambiguous, Unknown, read_argument
    from ..diff.sides import SideError

    found = []
    for argument, other in ((old, new), (new, old)):
        try:
            found.append(read_argument(argument, other))
        except (Ambiguous, Unknown) as error:
            raise InputError(str(error)) from error
        except SideError as error:
            if error.result is not None:
                from .common import report_errors

                report_errors(error.result)
            raise InputError(f"`{argument}` can't be compared: {error}") from error
    return found[0], found[1]
