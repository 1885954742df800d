"""`agentc eval`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import InputError
from .options import is_colored

if TYPE_CHECKING:
    from agentc_runtime.verify import Bundle

    from ..driver import Result
    from ..evals.evaluating import Evaluated
    from ..evals.observation import Trial
    from ..evals.summary import CaseResult
    from ..resources import Resource
    from ..syntax.eval import EvalSpec

_SOURCES = click.Choice(["live", "recorded", "mock"])
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("eval")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--eval", "names", multiple=True, help="Which eval; all of the project when left out.")
@click.option("--case", "only", multiple=True, metavar="PATTERN", help="Only cases with such a name.")
@click.option("--tag", "tags", multiple=True, help="Only cases with this tag.")
@click.option("--env", "environment", help="The environment, in place of the eval's.")
@click.option(
    "--bundle",
    "built",
    type=click.Path(exists=True, path_type=Path),
    help="Run this bundle, as `agentc build` wrote it, in place of what the specs compile to now.",
)
@click.option("--model", type=_SOURCES, help="What answers model calls, in place of what the eval says.")
@click.option("--tools", type=_SOURCES, help="What answers tool calls, in place of what the eval says.")
@click.option("--repeats", type=click.IntRange(1, 100), help="How often each case is run.")
@click.option("--concurrency", type=click.IntRange(1, 64), help="How many runs at a time.")
@click.option(
    "--record",
    type=click.Choice(["stale", "all"]),
    help="Ask what is recorded over the network again: for cases without a recording that fits, or for all.",
)
@click.option("--resume", is_flag=True, help="Go on where the last one was stopped: finished runs are kept.")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier report in JSON to compare with.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "junit", "markdown"]),
    default="text",
    show_default=True,
    help="How the report on standard output is written.",
)
@click.option("--evidence", type=_FILE, help="Write the report in JSON here as well: evidence for a release.")
@click.option("--html", type=_FILE, help="Write a page with plots and every run's transcript here.")
@click.option("--no-store", is_flag=True, help="Keep no finished runs: nothing can be resumed.")
def command(
    path: Path,
    names: tuple[str, ...],
    only: tuple[str, ...],
    tags: tuple[str, ...],
    environment: str | None,
    built: Path | None,
    model: Literal["live", "recorded", "mock"] | None,
    tools: Literal["live", "recorded", "mock"] | None,
    repeats: int | None,
    concurrency: int | None,
    record: Literal["stale", "all"] | None,
    resume: bool,
    baseline: Path | None,
    format_: str,
    evidence: Path | None,
    html: Path | None,
    no_store: bool,
) -> int:
    """Run the evals of a project and judge their gates.

    Each case is one run of an agent. What answers it is said in the eval: nothing in CI needs a key.
    Finished runs are kept in .agentc/evals of the project. Exit code 1: a gate does not hold.

    \b
    Example:
      agentc eval specs/support --tag injection
    """
    import gc

    gc.set_threshold(
        100_000, 20, 20
    )  # much is made and nearly all of it is kept: looking often finds nothing
    from ..evals.evaluating import EvalError, Options, evaluate
    from ..evals.outcome import OutcomeError, encoded, load_outcome
    from ..pipeline import BuildError
    from .common import compile_project, report_errors

    result = compile_project(path)
    if not result.ok:
        report_errors(result)
        return 1
    bundle = None if built is None else _read(built)
    chosen = _chosen(result, names, None if bundle is None else bundle.manifest.agent.name)
    if (evidence or baseline or html) and len(chosen) > 1:
        raise click.UsageError("--evidence, --html and --baseline are of one eval: name it with --eval")
    if evidence is not None and (only or tags):
        raise click.UsageError("--evidence is of all cases: leave --case and --tag out")
    try:
        before = None if baseline is None else load_outcome(baseline)
        options = Options(
            only=only,
            tags=tags,
            environment=environment,
            model=model,
            tools=tools,
            repeats=repeats,
            concurrency=concurrency,
            record=record,
            resume=resume,
            baseline=None if before is None else before.cases,
            bundle=bundle,
        )
        done: list[Evaluated] = []
        for one in chosen:
            folder = None if no_store else result.program.root / ".agentc" / "evals" / one.name
            with _Progress(one.name) as progress:
                done.append(evaluate(result, one, options, folder=folder, progress=progress))
    except (EvalError, BuildError, OutcomeError) as error:
        raise InputError(str(error)) from error
    except KeyboardInterrupt:
        kept = "" if no_store else "; `--resume` goes on with what is left"
        click.echo(f"interrupted{kept}", err=True)
        return 130
    if evidence is not None:
        _write(evidence, encoded(done[0].outcome))
    if html is not None:
        from ..evals.report.html import render

        _write(html, render(done[0]).encode("utf-8", "replace"))
    _tell(done)
    print_reports(done, format_, None if before is None else before.cases)
    return 0 if all(one.outcome.passed for one in done) else 1


def _tell(done: list[Evaluated]) -> None:
    """Tell OpenTelemetry what whole evals came to, if its variables ask for it."""
    from agentc_runtime.telemetry.switch import wanted

    whole = [one.outcome for one in done if not one.outcome.partial]
    if not whole or not wanted(os.environ):
        return
    from ..observing import ObservingError, tell_outcomes

    try:
        tell_outcomes(whole, lambda line: click.echo(line, err=True))
    except ObservingError as error:
        raise InputError(str(error)) from error


def _chosen(result: Result, names: tuple[str, ...], agent: str | None) -> list[Resource[EvalSpec]]:
    """The evals of the names, else all; with an agent only its."""
    from ..diagnostics import did_you_mean

    evals = result.program.evals
    if not evals:
        raise InputError("the project has no eval: write one of kind `Eval`")
    for name in names:
        if name not in evals:
            raise InputError(f"no eval `{name}` in this project; {did_you_mean(name, evals)}")
        if agent is not None and evals[name].spec.agent != agent:
            raise InputError(
                f"--bundle is of `{agent}`, and the eval `{name}` is of `{evals[name].spec.agent}`"
            )
    chosen = [evals[name] for name in (names or sorted(evals)) if agent in (None, evals[name].spec.agent)]
    if not chosen:
        raise InputError(f"the project has no eval of the agent `{agent}`, which --bundle is of")
    return chosen


def _read(path: Path) -> Bundle:
    from agentc_runtime.verify import BundleError, read_bundle

    try:
        return read_bundle(path)
    except BundleError as error:
        raise InputError(f"`{path}` is not a bundle that can be run: {error}") from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"can't write `{path}`: {(error.strerror or 'not writable').lower()}") from error


def print_reports(done: list[Evaluated], format_: str, baseline: Sequence[CaseResult] | None) -> None:
    """Print the reports of evals in a format."""

    if format_ == "json":
        from ..evals.outcome import encoded

        if len(done) == 1:
            click.echo(encoded(done[0].outcome).decode(), nl=False)
        else:
            for one in done:  # one report a line
                click.echo(b" ".join(encoded(one.outcome).split(b"\n")).decode())
    elif format_ == "junit":
        from ..evals.report import junit

        click.echo(junit.render(done), nl=False)
    elif format_ == "markdown":
        from ..evals.report import markdown

        click.echo(markdown.render(done, baseline), nl=False)
    else:
        from ..evals.report import text

        click.echo("\n".join(text.render(one, color=is_colored()) for one in done), nl=False)


class _Progress:
    """One line that says how far it is, on a terminal only."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failed = 0
        self._shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Callable[[int, int, Trial], None]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _tell(self, done: int, total: int, trial: Trial) -> None:
        self._failed += not trial.passed
        if self._shown:
            failed = f", {self._failed} failed" if self._failed else ""
            sys.stderr.write(f"\r\x1b[K{self._name}  {done}/{total}{failed}  {trial.case}")
            sys.stderr.flush()
