"""`agentc dataset`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import InputError
from .options import json_value, text_or_json

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group("dataset")
def command() -> None:
    """Grow files of cases out of runs and specs.

    What comes from production or was made up waits until a person accepts it: it runs, and no gate counts it.

    \b
    Example:
      agentc dataset list specs/support/evals/triage.jsonl
    """


@command.command("accept")
@FILE
@click.argument("case")
@click.option("--by", required=True, help="Who has looked at it.")
@click.option("--expected", help="What should come out: JSON, `@FILE` or `-`.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="What you say of the run.")
def accept(file: Path, case: str, by: str, expected: str | None, labels: tuple[str, ...]) -> int:
    """Accept a case: from now on it counts for gates.

    \b
    Example:
      agentc dataset accept cases.jsonl run-20261126T0800 --by ana --expected '{"outcome": "stuck"}'
    """
    from ..diagnostics import did_you_mean
    from ..evals.dataset import DatasetError, accepted, read_rows, write_rows

    said = dict(label.partition("=")[::2] for label in labels)
    wanted = None if expected is None else json_value(expected, "--expected")
    try:
        rows = read_rows(file)
        names = [str(row["id"]) for row in rows]
        if case not in names:
            raise InputError(f"no case `{case}` in `{file}`; {did_you_mean(case, names) or 'it has none'}")
        write_rows(
            file,
            [
                accepted(row, by=by, expected=wanted, labels=said) if row["id"] == case else row
                for row in rows
            ],
        )
    except DatasetError as error:
        raise InputError(str(error)) from error
    click.echo(f"accepted `{case}`, by {by}")
    return 0


@command.command("list")
@FILE
@click.option("--waiting", is_flag=True, help="Only cases that nobody has accepted: the queue for review.")
@text_or_json("How the list is written.")
def list_(file: Path, waiting: bool, format_: str) -> int:
    """List the cases of a dataset, with its digest.

    \b
    Example:
      agentc dataset list specs/support/evals/triage.jsonl --waiting
    """
    import json

    from ..evals.dataset import DatasetError, digest, is_waiting, read_rows
    from ..transcript import shown

    if not file.is_file():
        raise InputError(f"there is no file `{file}`")
    try:
        rows = read_rows(file)
    except DatasetError as error:
        raise InputError(str(error)) from error
    chosen = [row for row in rows if is_waiting(row) or not waiting]
    if format_ == "json":
        said = {"sha256": digest(rows), "cases": [{**row, "waiting": is_waiting(row)} for row in chosen]}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return 0
    for row in chosen:
        tags = row.get("tags")
        names = " ".join(str(tag) for tag in tags) if isinstance(tags, list) else ""
        mark = "waits  " if is_waiting(row) else "counts "
        click.echo(f"{mark}{shown(str(row['id']), 100)}  {shown(names, 200)}")
    many = "1 case" if len(rows) == 1 else f"{len(rows)} cases"
    click.echo(f"{many}, {sum(map(is_waiting, rows))} waiting, sha256:{digest(rows)}")
    return 0


@command.command("synthesize")
@FILE
@click.option(
    "--project",
    default=".",
    show_default=True,
    type=click.Path(exists=True, path_type=Path),
    help="The project.",
)
@click.option("--agent", "name", help="Which agent, when the project has several.")
def synthesize(file: Path, project: Path, name: str | None) -> int:
    """Make cases from an agent's permissions and workflow, for an eval with `model: mock`.

    Calls just inside and just outside each limit, bound arguments, quotas, tools of other states and none;
    and the shortest way to each step of the workflow. They are marked as synthetic and wait for a person.

    \b
    Example:
      agentc dataset synthesize evals/synthetic.jsonl --project specs/support --agent triage
    """
    from ..evals.dataset import DatasetError, read_rows, same_task, write_rows
    from ..evals.redteam import synthetic_cases
    from ..lowered import lower_agent
    from .common import choose_agent, compile_project, report_errors

    result = compile_project(project)
    if not result.ok:
        report_errors(result)
        return 1
    agent = choose_agent(result, name)
    lowered = lower_agent(result.program, agent)
    if lowered is None:
        raise InputError(f"agent `{agent.resource.name}` can't be built; `agentc validate` says why")
    try:
        rows = read_rows(file)
        made = [row for row in synthetic_cases(lowered) if not any(same_task(row, old) for old in rows)]
        taken = {row["id"] for row in rows}
        for row in made:
            number = 2
            while row["id"] in taken:
                row["id"] = f"{row['id']}-{number}"
                number += 1
            taken.add(row["id"])
        write_rows(file, [*rows, *made])
    except DatasetError as error:
        raise InputError(str(error)) from error
    sys.stdout.write(f"made {len(made)} cases in `{file}`; they wait for `agentc dataset accept`\n")
    return 0


@command.command("drift")
@click.argument("golden", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("production", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--significance",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
)
@text_or_json("How the comparison is written.")
def drift_(golden: Path, production: Path, significance: float, format_: str) -> int:
    """Say whether cases out of production do worse than the golden set.

    GOLDEN and PRODUCTION are reports of `agentc eval --format json`, of the same agent and other cases. Each
    rate that both have is compared by Fisher's exact test. Exit code 1: one is lower, and that is no chance.

    \b
    Example:
      agentc dataset drift golden.json production.json
    """
    import json

    import msgspec

    from ..evals.drifting import drift
    from ..evals.outcome import OutcomeError, load_outcome

    try:
        one, other = load_outcome(golden), load_outcome(production)
    except OutcomeError as error:
        raise InputError(str(error)) from error
    if one.agent != other.agent:
        raise InputError(f"`{golden}` is of `{one.agent}`, and `{production}` of `{other.agent}`")
    found = drift(one, other)
    worse = [rate for rate in found if rate.worse > 0 and rate.chance < significance]
    if format_ == "json":
        click.echo(json.dumps({"drifted": bool(worse), "rates": msgspec.to_builtins(found)}, indent=2))
    else:
        for rate in found:
            mark = "✗" if rate in worse else "✓"
            click.echo(
                f"{mark} {rate.what}: {rate.golden:.1%} of {rate.golden_total}, in production "
                f"{rate.production:.1%} of {rate.production_total} (p = {rate.chance:.3g})"
            )
    return 1 if worse else 0


# the rest of the group, which needs what is above
from . import dataset_runs, dataset_sample  # noqa: E402, F401
