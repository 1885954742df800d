"""`agentc dataset add`: runs that become cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .dataset import FILE, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentc_runtime.history import PastRun

STORE = click.option(
    "--store",
    default=".agentc/runs.db",
    show_default=True,
    help="The database of runs: a file or postgresql://…",
)
REGION = click.option(
    "--region", default="US", show_default=True, help="The country of plain telephone numbers."
)


@command.command("add")
@FILE
@click.option("--run", "run_id", help="The run: its id, or how that begins.")
@click.option("--feedback", is_flag=True, help="Every run with a thumb down, a correction or a label.")
@STORE
@click.option("--tag", "tags", multiple=True, help="A slice that it belongs to, such as its failure mode.")
@click.option("--consent", help="Why data that is more than internal may be kept: a policy or an agreement.")
@REGION
def add(
    file: Path,
    run_id: str | None,
    feedback: bool,
    store: str,
    tags: tuple[str, ...],
    consent: str | None,
    region: str,
) -> int:
    """Make a case of a run: what it was given, and what its tools answered.

    What people have said of the run is taken up: the last correction becomes what is expected, labels and
    thumbs become tags. Email addresses, telephone, account and card numbers are taken out; secrets never were
    in the store. Exit code 1: FILE has a case with the same to do already.

    \b
    Example:
      agentc dataset add evals/cases.jsonl --run 20261126T0800 --tag wrong-refund --consent "DPA 7"
    """
    import time

    from ..evals.dataset import DatasetError, case_of_run, read_rows, same_task, write_rows

    if (run_id is None) is not feedback:
        raise click.UsageError("say which run with --run, or --feedback for all that somebody spoke of")
    if run_id is None:
        return _add_spoken_of(file, store, tags, consent, region)
    try:
        found = [run for run in past_runs(store) if run.run_id.startswith(run_id)]
        if len(found) != 1:
            many = "no run begins" if not found else f"{len(found)} runs begin"
            raise InputError(f"{many} with `{run_id}` in `{store}`")
        day = time.strftime("%Y-%m-%d", time.gmtime())
        made = case_of_run(found[0], tags=tags, consent=consent, added=day, region=region)
        rows = read_rows(file)
        twin = next((row for row in rows if same_task(row, made.row)), None)
        if twin is not None:
            click.echo(f"`{twin['id']}` in `{file}` has the same to do: nothing was added", err=True)
            return 1
        if any(row["id"] == made.row["id"] for row in rows):
            raise InputError(f"`{file}` has a case `{made.row['id']}` already")
        write_rows(file, [*rows, made.row])
    except DatasetError as error:
        raise InputError(str(error)) from error
    taken = ", ".join(f"{count} {kind}" for kind, count in sorted(made.redacted.items())) or "nothing"
    click.echo(
        f"added `{made.row['id']}` to `{file}`; taken out: {taken}; it waits for `agentc dataset accept`"
    )
    return 0


def past_runs(store: str) -> Iterator[PastRun]:
    """The runs in a store, the oldest first.

    Raises:
        InputError: it is not there, or can't be read.
    """
    from agentc_runtime.durable.ledgers import store_path
    from agentc_runtime.history import read_runs
    from agentc_runtime.journal import StoreError

    path = store_path(store)
    try:
        if path is None:
            from ..tighten.recordings import runs_of_server

            found = runs_of_server(store)
        else:
            found = read_runs(path)
        yield from found
    except StoreError as error:
        raise InputError(str(error)) from error
    except ImportError as error:
        raise InputError(f"`{store}` needs the extra: pip install 'agentc[durable]' ({error})") from error


def _add_spoken_of(file: Path, store: str, tags: tuple[str, ...], consent: str | None, region: str) -> int:
    """Add every run with a thumb down, a correction or a label, but those whose data may not be kept."""
    import time

    from ..evals.dataset import (
        DatasetError,
        case_of_run,
        read_rows,
        run_of,
        same_task,
        sensitivity,
        write_rows,
    )

    day = time.strftime("%Y-%m-%d", time.gmtime())
    added = private = 0
    try:
        rows = read_rows(file)
        known = {run_of(row) for row in rows}
        for run in past_runs(store):
            spoken_of = any(
                said.thumb == "down" or said.correction is not None or said.labels for said in run.said
            )
            if not spoken_of or run.run_id in known:
                continue
            if consent is None and sensitivity(run) not in ("public", "internal"):
                private += 1
                continue
            made = case_of_run(run, tags=tags, consent=consent, added=day, region=region)
            if not any(same_task(made.row, row) for row in rows):
                rows.append(made.row)
                added += 1
        if added:
            write_rows(file, rows)
    except DatasetError as error:
        raise InputError(str(error)) from error
    many = "1 case" if added == 1 else f"{added} cases"
    click.echo(f"added {many} to `{file}`; they wait for `agentc dataset accept`")
    if private:
        runs = "1 run" if private == 1 else f"{private} runs"
        click.echo(f"left out {runs} that read more than internal data: --consent says why they may be kept")
    return 0
