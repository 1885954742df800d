"""`agentc approvals`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import json_value, text_or_json
from .runs import STORE, opened

if TYPE_CHECKING:
    from agentc_runtime.durable.approvals import Approval

GROUP = click.option("--group", help="The approver group that you decide for.")
REASON = click.option("--reason", default="", help="What whoever reads the run should know.")


@click.group("approvals")
def command() -> None:
    """Decide what durable runs wait for.

    \b
    Example:
      agentc approvals list
    """


@command.command("list")
@STORE
@click.option("--status", default="pending", show_default=True, help="Approvals of this status.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most."
)
@text_or_json("How the list is written.")
def list_(store: str, status: str, limit: int, format_: str) -> int:
    """List approvals, those that expire first at the top.

    \b
    Example:
      agentc approvals list --status expired
    """
    from agentc_runtime.durable.approvals import STATUSES, list_approvals

    from ..diagnostics import did_you_mean

    if status not in STATUSES:
        raise click.UsageError(f"--status: no status `{status}`; {did_you_mean(status, STATUSES)}")
    with opened(store) as ledger:
        found = list_approvals(ledger, status=status, limit=limit)
    if format_ == "json":
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return 0
    if not found:
        click.echo(f"no approvals that are {status} in {store}", err=True)
    for one in found:
        what = one.request.tool or f"state {one.request.state}"
        who = f"  for {', '.join(one.request.by)}" if one.request.by else ""
        click.echo(f"{one.approval_id}  {one.status}  {one.agent}  {what}  until {one.expires}{who}")
    return 0


@command.command("show")
@click.argument("approval_id", metavar="APPROVAL")
@STORE
@text_or_json("How the approval is written.")
def show(approval_id: str, store: str, format_: str) -> int:
    """Show exactly what would be sent, why a person is asked, and where each argument comes from.

    \b
    Example:
      agentc approvals show 0123456789abcdef
    """
    from agentc_runtime.durable.approvals import DecisionError, find_approval

    with opened(store) as ledger:
        try:
            found = find_approval(ledger, approval_id)
        except DecisionError as error:
            raise InputError(str(error)) from error
    if format_ == "json":
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return 0
    for line in _lines(found):
        click.echo(line)
    return 0


@command.command("approve")
@click.argument("approval_id", metavar="APPROVAL")
@STORE
@GROUP
@REASON
@click.option(
    "--arguments", help="Narrower arguments, all of them: JSON or `@FILE`. Numbers lowered, items left out."
)
def approve(approval_id: str, store: str, group: str | None, reason: str, arguments: str | None) -> int:
    """Let exactly this request be sent, or a narrower one.

    A worker goes on with the run, or `agentc runs resume`. You decide as the user that you are logged in as.

    \b
    Example:
      agentc approvals approve 0123456789abcdef --group support-leads
    """
    narrowed = None if arguments is None else json_value(arguments, "--arguments")
    if narrowed is not None and not isinstance(narrowed, dict):
        raise InputError("--arguments is not an object")
    return _decide(approval_id, store, group, reason, approved=True, arguments=narrowed)


@command.command("reject")
@click.argument("approval_id", metavar="APPROVAL")
@STORE
@GROUP
@REASON
def reject(approval_id: str, store: str, group: str | None, reason: str) -> int:
    """Do not let the request be sent. The reason is told to the agent.

    \b
    Example:
      agentc approvals reject 0123456789abcdef --group support-leads --reason 'refunded twice already'
    """
    return _decide(approval_id, store, group, reason, approved=False, arguments=None)


def _decide(
    approval_id: str,
    store: str,
    group: str | None,
    reason: str,
    *,
    approved: bool,
    arguments: dict[str, object] | None,
) -> int:
    from agentc_runtime.durable.approvals import DecisionError, decide

    from ..approver import user_name

    with opened(store) as ledger:
        try:
            found = decide(
                ledger,
                approval_id,
                approved=approved,
                by=user_name(),
                group=group,
                reason=reason,
                arguments=arguments,
            )
        except DecisionError as error:
            raise InputError(str(error)) from error
    click.echo(
        f"{found.approval_id}  {found.status}  run {found.request.run_id} goes on with the next worker"
    )
    return 0


def _lines(found: Approval) -> Iterator[str]:
    from ..transcript import shown

    asked = found.request
    yield f"{found.approval_id}  {found.status}"
    if found.decided_by:
        reason = f": {shown(found.reason, 400)}" if found.reason else ""
        yield f"  by {shown(found.decided_by, 80)} at {found.decided}{reason}"
    groups = f" by {' or '.join(asked.by)}" if asked.by else ""
    yield f"  to be decided{groups} until {found.expires}"
    what = f"{asked.tool} ({asked.effect})" if asked.tool else f"state {asked.state}"
    yield f"  {what} of {found.agent}, {asked.call_id} of run {asked.run_id}"
    for reason in asked.reasons:
        yield f"  {shown(reason, 240)}"
    yield f"  read before: {asked.label.trust}, {asked.label.sensitivity}"
    for name, value in asked.arguments.items():
        where = ", ".join(asked.origins.get(name, ()))
        if asked.tool:
            yield f"  {name} = {shown(json.dumps(value, ensure_ascii=False))}  " + (
                f"stands in: {where}" if where else "made up by the model"
            )
        else:
            yield f"  {name} = {shown(json.dumps(value, ensure_ascii=False))}"
    if asked.tool:
        yield f"  undone by {asked.undo}" if asked.undo else "  nothing undoes it"
    for line in asked.preview.splitlines():
        yield f"    {shown(line, 10_000)}"
