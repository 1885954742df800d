"""`agentc disable`."""

from __future__ import annotations

from datetime import timedelta

import click

from . import InputError
from .release import BY, CONTROL, REASON, Duration, open_control


@click.command("disable")
@click.argument("kind", type=click.Choice(["tool", "agent", "model", "approvers"]))
@click.argument("name")
@click.option("--agent", help="In this agent only. Without it, in all of them.")
@click.option("--for", "span", type=Duration(), help="How long. Without it, until it is enabled.")
@REASON
@BY
@CONTROL
def command(
    kind: str,
    name: str,
    agent: str | None,
    span: timedelta | None,
    reason: str,
    by: str | None,
    control: str,
) -> int:
    """Stop a tool, an agent, a model or a group of approvers on every worker.

    It holds from the next call on, also in runs that are under way. A tool is named like `helpdesk.refund`, a
    model by its alias. Who did it, why and until when is in the audit log of the control.

    \b
    Example:
      agentc disable tool helpdesk.refund --reason "refunds twice" --for 2h --control /srv/agentc
    """
    from datetime import UTC, datetime

    from agentc_runtime.release.switching import disable, kind_of
    from agentc_runtime.switches import ControlError, Switch
    from agentc_runtime.times import time_text

    from ..approver import user_name

    now = datetime.now(UTC)
    switch = Switch(
        kind=kind_of(kind),
        name=name,
        agent=agent,
        reason=reason,
        by=by or user_name(),
        since=time_text(now),
        expires=time_text(now + span) if span else None,
    )
    try:
        disable(open_control(control), switch)
    except ControlError as error:
        raise InputError(str(error)) from error
    where = f" in `{agent}`" if agent else ""
    click.echo(f"{kind} `{name}`{where} is {switch}")
    return 0
