"""What `agentc runs` changes: cancel, resolve, erase, collect."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

import click

from . import InputError
from .options import json_value
from .runs import RUN, STORE, command, opened

if TYPE_CHECKING:
    from agentc_runtime.durable.views import RunDetail

REASON = click.option("--reason", required=True, help="Why: it is recorded.")
_AGE = re.compile(r"([1-9][0-9]{0,4})([hd])")


@command.command("cancel")
@RUN
@STORE
@REASON
def cancel(run_id: str, store: str, reason: str) -> int:
    """End a durable run that is not over, and say what it has done.

    It sends nothing more. A call that is under way is still recorded when it ends.

    \b
    Example:
      agentc runs cancel 20260301T120000Z-0123456789ab --reason 'wrong ticket'
    """
    from agentc_runtime.durable.operating import OperationError, cancel_run
    from agentc_runtime.durable.views import find_run

    from ..approver import user_name

    with opened(store) as ledger:
        try:
            cancel_run(ledger, run_id, by=user_name(), reason=reason)
        except OperationError as error:
            raise InputError(str(error)) from error
        found = find_run(ledger, run_id)
        if found is not None and found.run.attempts:
            _stop(store, run_id)
    click.echo(f"{run_id}  cancelled")
    if found is not None:
        _account(found)
    return 0


@command.command("resolve")
@RUN
@STORE
@click.option("--call", "call_id", help="Which call, when several are in doubt.")
@click.option("--done", "how", flag_value="done", help="It took effect, and --answer is what came back.")
@click.option("--not-done", "how", flag_value="not_done", help="It did not: it may be sent again.")
@click.option("--failed", "how", flag_value="failed", help="Let the run go on as after a failure (AR407).")
@click.option("--answer", default="null", help="The answer to the call: JSON or `@FILE`.")
@REASON
def resolve(
    run_id: str,
    store: str,
    call_id: str | None,
    how: Literal["done", "not_done", "failed"] | None,
    answer: str,
    reason: str,
) -> int:
    """Say what became of a call that may have been sent before a crash.

    Look it up at the service first. A worker goes on with the run, or `agentc runs resume`.

    \b
    Example:
      agentc runs resolve 20260301T120000Z-0123456789ab --done --answer '{"id": 7}' --reason booked
    """
    from agentc_runtime.durable.operating import OperationError, resolve_call

    from ..approver import user_name

    if how is None:
        raise click.UsageError("say what became of it: --done, --not-done or --failed")
    value = json_value(answer, "--answer")
    with opened(store) as ledger:
        try:
            call = resolve_call(ledger, run_id, call_id, how, by=user_name(), reason=reason, answer=value)
        except OperationError as error:
            raise InputError(str(error)) from error
    click.echo(f"{run_id}  {call} is {how.replace('_', ' ')}: the run goes on with the next worker")
    return 0


@command.command("erase")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@STORE
@click.option("--older-than", help="Runs that ended so long ago: 90d, 12h.")
@click.option(
    "--where",
    help="Runs of one person or thing, by a value of their session or input: session.customer_id=C-17.",
)
@REASON
def erase(
    run_ids: tuple[str, ...], store: str, older_than: str | None, where: str | None, reason: str
) -> int:
    """Erase what is kept of runs that are over: inputs, answers, arguments, questions, records.

    Of a service's store also what it told of them and, with --older-than and --where, sessions.

    What stays is that the run took place, with which bundle and how it ended, and the digests by which the
    audit log still verifies. Run it regularly with --older-than to keep nothing longer than you may. Exit
    code 1: some of the runs are not over yet, and were left alone.

    \b
    Example:
      agentc runs erase --where session.customer_id=C-17 --reason 'request of 1 March'
    """
    from agentc_runtime.durable.erasing import erase_run, find_runs
    from agentc_runtime.durable.views import find_run
    from agentc_service import tables

    from ..approver import user_name

    if bool(run_ids) == bool(older_than or where):
        raise click.UsageError("name runs, or say which with --older-than and --where")
    age = None if older_than is None else _age(older_than)
    fits = None if where is None else wanted(where)
    with opened(store) as ledger:
        tables.prepare(ledger)
        going: list[str] = []
        sessions = 0
        if run_ids:
            chosen: list[str] = []
            for run_id in run_ids:
                found = find_run(ledger, run_id)
                if found is None:
                    raise InputError(f"no run `{run_id}` in {store}")
                (going if found.run.ended is None else chosen).append(run_id)
        else:
            chosen, going = find_runs(ledger, older_than=age, wanted=fits)
            of_session = None if fits is None else partial(fits, None)
            sessions = tables.erase_sessions(ledger, older_than=age, wanted=of_session)
        by, also = user_name(), tables.erase_served
        erased = [one for one in chosen if erase_run(ledger, one, by=by, reason=reason, also=also)]
        _forget(store, erased)
        ledger.scrub()
    for run_id in erased:
        click.echo(f"{run_id}  erased")
    for run_id in going:
        click.echo(f"{run_id}  is not over: cancel it, or wait", err=True)
    if sessions:
        click.echo(f"{sessions} session{'s' if sessions > 1 else ''} erased")
    if not erased and not going:
        click.echo("no runs to erase", err=True)
    return 1 if going else 0


@command.command("collect")
@STORE
def collect(store: str) -> int:
    """Delete the bundles in the store that no run needs any more.

    \b
    Example:
      agentc runs collect
    """
    from agentc_runtime.durable.erasing import collect_bundles

    with opened(store) as ledger:
        found = collect_bundles(ledger)
    for digest in found:
        click.echo(f"sha256:{digest}  deleted")
    if not found:
        click.echo("no bundle that could be deleted", err=True)
    return 0


def _stop(store: str, run_id: str) -> None:
    from agentc_runtime.durable.client import stop

    stop(store, run_id)


def _forget(store: str, run_ids: list[str]) -> None:
    if run_ids:
        from agentc_runtime.durable.client import forget

        forget(store, run_ids)


def _account(found: RunDetail) -> None:
    """Say what the run has done, as far as it is known."""
    for call in found.calls:
        if call.effect != "read":
            fate = {"unknown": "may have taken effect", "returned": "took effect"}.get(
                call.outcome, call.outcome
            )
            click.echo(f"  {call.call_id}  {call.tool}  {fate}")


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise InputError(f"--older-than: `{text}` is no time such as 90d or 12h")
    number = int(match[1])
    return timedelta(hours=number) if match[2] == "h" else timedelta(days=number)


def wanted(text: str) -> Callable[[object, object], bool]:
    """Whether the input or the session of a run says what `--where` asks for.

    Raises:
        InputError: it is written in another way.
    """
    path, sign, value = text.partition("=")
    root, *steps = path.split(".")
    if not sign or not steps or root not in ("session", "input"):
        raise InputError(f"--where: `{text}` is not like session.customer_id=C-17")

    def says(given: object, session: object) -> bool:
        found = session if root == "session" else given
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, bool):
            return str(found).lower() == value
        return found is not None and str(found) == value

    return says
