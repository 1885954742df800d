"""`agentc runs`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import text_or_json, watched
from .release import CONTROLLED, switches_of
from .run import DEFAULT_STORE

if TYPE_CHECKING:
    from agentc_runtime.durable.views import RunDetail, RunView
    from agentc_runtime.labels import Sensitivity
    from agentc_runtime.ledger import Ledger

STORE = click.option(
    "--store", default=DEFAULT_STORE, show_default=True, help="The database of runs: a file or postgresql://…"
)


RUN = click.argument("run_id", metavar="RUN")


@click.group("runs")
def command() -> None:
    """Look after runs: see what they do, and let interrupted ones go on.

    \b
    Example:
      agentc runs list
    """


@command.command("list")
@STORE
@click.option("--status", help="Only runs of this status, such as waiting or needs_attention.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most."
)
@text_or_json("How the list is written.")
def list_(store: str, status: str | None, limit: int, format_: str) -> int:
    """List runs, the newest first.

    \b
    Example:
      agentc runs list --status needs_attention
    """
    from agentc_runtime.durable.tables import STATUSES
    from agentc_runtime.durable.views import list_runs

    from ..diagnostics import did_you_mean

    if status is not None and status not in STATUSES:
        raise click.UsageError(f"--status: no status `{status}`; {did_you_mean(status, STATUSES)}")
    with opened(store) as ledger:
        found = list_runs(ledger, status=status, limit=limit)
    if format_ == "json":
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return 0
    if not found:
        click.echo(f"no runs{f' that are {status}' if status else ''} in {store}", err=True)
    for run in found:
        click.echo(_line(run))
    return 0


@command.command("show")
@RUN
@STORE
@text_or_json("How the run is written.")
def show(run_id: str, store: str, format_: str) -> int:
    """Show a run: its states, its calls and what became of them.

    \b
    Example:
      agentc runs show 20260301T120000Z-0123456789ab
    """
    from agentc_runtime.durable.views import find_run

    with opened(store) as ledger:
        found = find_run(ledger, run_id)
    if found is None:
        raise InputError(f"no run `{run_id}` in {store}; `agentc runs list` shows those that are there")
    if format_ == "json":
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return 0
    for line in _detail(found):
        click.echo(line)
    return 0


@command.command("resume")
@RUN
@STORE
@CONTROLLED
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer model calls from a cassette.",
)
@text_or_json("How the transcript is written; json is one event a line.")
@click.option("--quiet", "-q", is_flag=True, help="Print the output only.")
@watched
def resume(
    run_id: str,
    store: str,
    control: str | None,
    replay: Path | None,
    format_: str,
    quiet: bool,
    log_format: str,
    otel: bool | None,
    capture_content: Sensitivity | None,
) -> int:
    """Let a durable run go on here, from where it stopped.

    What it has done is not done again, and its bundle is the one that it began with. Exit code 1: the run
    failed, or stopped again.

    \b
    Example:
      agentc runs resume 20260301T120000Z-0123456789ab
    """
    import asyncio

    from ..observing import Watch
    from ..runner import RunnerError, RunOptions, resume_durably

    _exists(store)
    options = RunOptions(
        input=None,
        session=None,
        environment=None,
        record=None,
        recordings=(replay,) if replay else (),
        store=store,
        durable=True,
        detach=False,
        switches=switches_of(control),
        format="none" if quiet or (log_format == "json" and format_ == "text") else format_,
        prefix="",
        color=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
        watch=Watch(telemetry=otel, content=capture_content, logs=log_format == "json"),
    )
    try:
        return asyncio.run(resume_durably(run_id, options))
    except RunnerError as error:
        raise InputError(str(error)) from error


@contextmanager
def opened(store: str) -> Iterator[Ledger]:
    """The store that `--store` names, which is there already.

    Raises:
        InputError: it is not, or can't be used.
    """
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.journal import StoreError

    _exists(store)
    try:
        ledger = open_ledger(store)
        try:
            yield ledger
        finally:
            ledger.close()
    except StoreError as error:
        raise InputError(str(error)) from error
    except ImportError as error:
        raise InputError(f"`{store}` needs the extra: pip install 'agentc[durable]' ({error})") from error


def _exists(store: str) -> None:
    from agentc_runtime.durable.ledgers import store_path

    path = store_path(store)
    if path is not None and not path.is_file():
        raise InputError(f"no store `{store}`: `agentc run` writes one, and --store names another")


def _line(run: RunView) -> str:
    why = f"  {run.why}" if run.why else ""
    return f"{run.run_id}  {run.status.replace('_', ' '):<15} {run.agent} {run.version}  {run.started}{why}"


def _detail(found: RunDetail) -> Iterator[str]:
    from ..transcript import shown

    run = found.run
    yield f"{run.run_id}  {run.status.replace('_', ' ')}"
    if run.why:
        yield f"  {shown(run.why, 400)}"
    yield f"  {run.agent} {run.version}  sha256:{run.bundle[:12]}  in the environment {run.environment}"
    yield f"  started {run.started}" + (f", ended {run.ended}" if run.ended else "")
    if run.attempts > 1:
        yield f"  taken up {run.attempts} times"
    for step in found.steps:
        yield f"  ● {step.state}  {step.status}  {step.time}"
    for call in found.calls:
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        yield f"  → {call.call_id}  {call.tool} {shown(arguments)}  {call.outcome}"
    if run.refusal is not None:
        at = run.refusal.at
        where = f" ({at.file}:{at.line})" if at else ""
        yield f"  ✗ {run.refusal.code}: {shown(run.refusal.message, 400)}{where}"
    elif run.status == "succeeded":
        yield f"  {shown(json.dumps(run.output, ensure_ascii=False), 400)}"


# the rest of the group, which needs what is above
from . import run_changes, run_feedback  # noqa: E402, F401
