"""`agentc enable`."""

from __future__ import annotations

import click

from . import InputError
from .release import BY, CONTROL, REASON, open_control


@click.command("enable")
@click.argument("kind", type=click.Choice(["tool", "agent", "model", "approvers"]))
@click.argument("name")
@click.option("--agent", help="As it was given to `agentc disable`.")
@REASON
@BY
@CONTROL
def command(kind: str, name: str, agent: str | None, reason: str, by: str | None, control: str) -> int:
    """Undo `agentc disable`. Exit code 1: it is not disabled.

    \b
    Example:
      agentc enable tool helpdesk.refund --reason "fixed in 2.1.1" --control /srv/agentc
    """
    from agentc_runtime.release.switching import enable, kind_of
    from agentc_runtime.switches import ControlError

    from ..approver import user_name

    where = f" in `{agent}`" if agent else ""
    try:
        if enable(open_control(control), kind_of(kind), name, agent, by or user_name(), reason):
            click.echo(f"{kind} `{name}`{where} is enabled")
            return 0
    except ControlError as error:
        raise InputError(str(error)) from error
    click.echo(f"error: {kind} `{name}`{where} is not disabled", err=True)
    return 1
