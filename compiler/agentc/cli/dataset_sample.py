"""`agentc dataset sample`: cases out of the runs that a store holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .dataset import FILE, command
from .dataset_runs import REGION, STORE, past_runs
from .options import text_or_json

if TYPE_CHECKING:
    from agentc_runtime.history import PastRun

    from ..evals.dataset import Row
    from ..evals.sampling import Picked, Sample


@command.command("sample")
@FILE
@STORE
@click.option("--agent", help="Whose runs, when the store has those of several agents.")
@click.option("--each", default=3, show_default=True, type=click.IntRange(1, 1000), help="Runs of each mode.")
@click.option(
    "--mode",
    "modes",
    multiple=True,
    help="Only such failures: a mode as the list names it, or its first word.",
)
@click.option(
    "--successes",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="The share of the sample that went well.",
)
@click.option("--seed", default=0, show_default=True, help="Another one picks others.")
@click.option("--where", help="Only runs whose session or input says so, such as session.may_be_kept=true.")
@click.option("--since", metavar="DATE", help="Only runs that began on this day or later: 2026-11-01.")
@click.option("--consent", help="Why data that is more than internal may be kept. Left out: no such runs.")
@REGION
@click.option("--dry-run", is_flag=True, help="Say what would be added, and add nothing.")
@text_or_json("How the sample is written.")
def sample_(
    file: Path,
    store: str,
    agent: str | None,
    each: int,
    modes: tuple[str, ...],
    successes: float,
    seed: int,
    where: str | None,
    since: str | None,
    consent: str | None,
    region: str,
    dry_run: bool,
    format_: str,
) -> int:
    """Make cases of some runs of each failure mode, and of some that went well.

    Modes are: a thumb down, a correction, an approval that was rejected, data or answers that were held back
    (guarded), failures by their rule, refused calls by theirs, tools that failed by theirs, runs with the
    same to do that ended otherwise (flaky), and the slowest and most expensive twentieth. The same runs and
    seed give the same sample; runs that are in FILE already are passed over. All of them wait for
    `agentc dataset accept`.

    \b
    Example:
      agentc dataset sample evals/production.jsonl --each 5 --consent "DPA 7"
    """
    from ..diagnostics import did_you_mean
    from ..evals.dataset import (
        DatasetError,
        case_of_run,
        read_rows,
        run_of,
        same_task,
        sensitivity,
        write_rows,
    )
    from ..evals.sampling import MODES, family, sample

    for mode in modes:
        if family(mode) not in MODES:
            said = did_you_mean(mode, MODES)
            raise click.UsageError(
                f"--mode: no failure mode `{mode}`; {said or 'there is ' + ', '.join(MODES)}"
            )
    runs = list(_wanted(past_runs(store), agent, where, since))
    agents = sorted({run.agent for run in runs})
    if len(agents) > 1:
        raise InputError(f"`{store}` has runs of {', '.join(f'`{one}`' for one in agents)}: say --agent")
    allowed = [run for run in runs if consent is not None or sensitivity(run) in ("public", "internal")]
    try:
        rows = read_rows(file)
        found = sample(
            allowed, each=each, successes=successes, seed=seed, wanted=modes,
            known={run for row in rows if (run := run_of(row)) is not None},
        )  # fmt: skip
        day = time.strftime("%Y-%m-%d", time.gmtime())
        added: list[tuple[Picked, Row]] = []
        for one in found.picked:
            tags = [tag for tag in one.modes or (one.mode,) if not tag.startswith("refused-")]
            made = case_of_run(one.run, tags=tags, consent=consent, added=day, region=region)
            if not any(same_task(made.row, row) for row in rows):
                rows.append(made.row)
                added.append((one, made.row))
        if not dry_run and added:
            write_rows(file, rows)
    except DatasetError as error:
        raise InputError(str(error)) from error
    _tell(file, found, added, len(runs) - len(allowed), format_, dry_run=dry_run)
    return 0


def _wanted(
    runs: Iterator[PastRun], agent: str | None, where: str | None, since: str | None
) -> Iterator[PastRun]:
    import re

    from .run_changes import wanted

    if since is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", since):
        raise click.UsageError(f"--since: `{since}` is no day such as 2026-11-01")
    fits = None if where is None else wanted(where)
    for run in runs:
        if (
            run.ended
            and run.input is not None
            and agent in (None, run.agent)
            and (since is None or run.started[:10] >= since)
            and (fits is None or fits(run.input, run.session))
        ):
            yield run


def _tell(
    file: Path, found: Sample, added: list[tuple[Picked, Row]], private: int, format_: str, *, dry_run: bool
) -> None:
    picked = [one for one, _ in added]
    counts = {
        mode: (sum(mode in (one.modes or (one.mode,)) for one in picked), total)
        for mode, total in found.found.items()
    }
    if format_ == "json":
        import json

        modes = {mode: {"added": some, "found": total} for mode, (some, total) in counts.items()}
        cases = [{"id": row["id"], "run": one.run.run_id, "mode": one.mode} for one, row in added]
        said = {"modes": modes, "cases": cases, "without_consent": private, "dry_run": dry_run}
        click.echo(json.dumps(said, indent=2))
        return
    for mode, (some, total) in counts.items():
        click.echo(f"{mode:<16} {some} of {total}")
    if private:
        click.echo(
            f"left out {private} {'run' if private == 1 else 'runs'} that read more than internal data: "
            "--consent says why they may be kept"
        )
    many = "1 case" if len(added) == 1 else f"{len(added)} cases"
    if dry_run:
        click.echo(f"{many} would be added to `{file}`")
    else:
        click.echo(f"added {many} to `{file}`; they wait for `agentc dataset accept`")
