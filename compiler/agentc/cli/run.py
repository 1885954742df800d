"""`agentc run`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from . import InputError
from .options import json_value, text_or_json, watched
from .release import CONTROLLED, NARROW, narrowed, switches_of, trust_policy

if TYPE_CHECKING:
    from agentc_runtime.environments import Environment
    from agentc_runtime.labels import Sensitivity
    from agentc_runtime.verify import Bundle

DEFAULT_STORE = ".agentc/runs.db"


@click.command("run")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--agent", "name", help="Which agent, when PATH is a project with several.")
@click.option("--input", "input_", default="{}", help="The input: JSON, `@FILE`, or `-` for standard input.")
@click.option("--session", default="{}", help="The session: JSON or `@FILE`.")
@click.option("--env", "environment", help="The environment of the project to run in.")
@click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), help="Write the model traffic to a cassette."
)
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer model calls from a cassette.",
)
@click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    help="The database of runs and the audit log: a file, or with --durable postgresql://…",
)
@click.option("--durable", is_flag=True, help="Keep each step, so that an interrupted run can go on.")
@click.option("--detach", is_flag=True, help="With --durable: leave the run to a worker, and print its id.")
@click.option("--no-store", is_flag=True, help="Keep nothing: no audit log, and quotas count this run only.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust policy that PATH, a bundle, has to satisfy.",
)
@NARROW
@CONTROLLED
@text_or_json("How the transcript is written; json is one event a line.")
@click.option("--quiet", "-q", is_flag=True, help="Print the output only.")
@watched
def command(
    path: Path,
    name: str | None,
    input_: str,
    session: str,
    environment: str | None,
    record: Path | None,
    replay: Path | None,
    store: str,
    durable: bool,
    detach: bool,
    no_store: bool,
    trust: Path | None,
    narrow: Path | None,
    control: str | None,
    format_: str,
    quiet: bool,
    log_format: str,
    otel: bool | None,
    capture_content: Sensitivity | None,
) -> int:
    """Run an agent and show what it does.

    PATH is a project, which is compiled first, or a bundle. The transcript goes to standard error, the
    typed output to standard output. When the key of an agent's model is not set and the project holds
    recordings of the agent (recordings/AGENT*.json), model calls are answered from them. Exit code 1: the
    run failed, or stopped and is not over (see `agentc runs`).

    \b
    Example:
      agentc run specs/support --agent triage --input '{"ticket_id": "T-1001"}'
    """
    import asyncio

    from ..observing import Watch
    from ..runner import RunnerError, RunOptions, run_agent, run_durably

    if record is not None and replay is not None:
        raise click.UsageError("--record and --replay exclude each other")
    if durable and (no_store or record is not None):
        raise click.UsageError(f"--durable and {'--no-store' if no_store else '--record'} exclude each other")
    if detach and (not durable or replay is not None):
        raise click.UsageError("--detach needs --durable, and no --replay: a worker asks the models")
    if "://" in store and not durable:
        raise click.UsageError("a store with a URL needs --durable")
    loaded = _load(path, name)
    if trust is not None:
        _check_trust(loaded, trust)
    if narrow is not None:
        if durable:
            raise click.UsageError("--narrow and --durable exclude each other")
        loaded = loaded._replace(bundle=narrowed(loaded.bundle, narrow))
    recordings = () if record else (replay,) if replay else _recordings(loaded, environment)
    options = RunOptions(
        input=json_value(input_, "--input"),
        session=json_value(session, "--session"),
        environment=environment,
        record=record,
        recordings=recordings,
        store=None if no_store else store,
        durable=durable,
        detach=detach,
        switches=switches_of(control),
        format="none" if quiet or (log_format == "json" and format_ == "text") else format_,
        prefix=loaded.prefix,
        color=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
        watch=Watch(telemetry=otel, content=capture_content, logs=log_format == "json"),
    )
    try:
        return asyncio.run((run_durably if durable else run_agent)(loaded.bundle, options))
    except RunnerError as error:
        raise InputError(str(error)) from error


def _check_trust(loaded: _Loaded, trust: Path) -> None:
    from datetime import UTC, datetime

    from agentc_runtime.trust.judge import judge
    from agentc_runtime.verify import BundleError

    if loaded.root is not None:
        raise click.UsageError("--trust needs a bundle: a project that is compiled here is signed by nobody")
    try:
        judge(loaded.bundle, trust_policy(trust), datetime.now(UTC))
    except BundleError as error:
        raise InputError(f"the bundle is not trusted: {error}") from error


class _Loaded(NamedTuple):
    """A bundle, the project that it was compiled from, if any, and how that project's paths are shown."""

    bundle: Bundle
    root: Path | None
    prefix: str


def _load(path: Path, name: str | None) -> _Loaded:
    from agentc_runtime.bundle import MANIFEST
    from agentc_runtime.verify import BundleError, load_bundle, read_bundle

    from .common import choose_agent, compile_project, report_errors, shown_prefix

    if path.is_file() or (path / MANIFEST).exists():
        try:
            return _Loaded(read_bundle(path), None, "")
        except BundleError as error:
            raise InputError(f"`{path}` is not a bundle that can be run: {error}") from error
    from ..pipeline import BuildError, bundle_files

    result = compile_project(path)
    if not result.ok:
        report_errors(result)
        raise click.exceptions.Exit(1)
    try:
        bundle = load_bundle(bundle_files(result, choose_agent(result, name)))
    except BuildError as error:
        raise InputError(str(error)) from error
    return _Loaded(bundle, result.program.root, shown_prefix(result.program.root))


def _recordings(loaded: _Loaded, environment: str | None) -> tuple[Path, ...]:
    """The project's recordings of the agent, when the key of a model that a state begins with is not set."""
    from agentc_runtime.workflow import AgentState, ModelState

    program = loaded.bundle.program
    chosen = program.environments.get(environment or program.default_environment)
    if loaded.root is None or chosen is None:
        return ()
    programs = [program]
    for one in programs:
        programs += one.agents.values()
    keys = {
        one.models[state.models[0]].secret
        for one in programs
        for state in one.states.values()
        if isinstance(state, AgentState | ModelState) and state.models
    }
    unset = any(not _is_set(chosen, key) for key in keys if key is not None)
    if not unset:
        return ()
    return tuple(sorted((loaded.root / "recordings").glob(f"{program.agent.name}*.json")))


def _is_set(environment: Environment, name: str) -> bool:
    secret = environment.secrets.get(name)
    if secret is None:
        return False
    if secret.vault is not None:  # whether it is there, only Vault knows
        return environment.vault is not None and _is_set(environment, environment.vault.token)
    if secret.env is not None:
        return bool(os.environ.get(secret.env))
    return secret.file is not None and Path(secret.file).is_file()
