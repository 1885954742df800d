"""Run a bundle on this machine: the runtime's parts put together for one run from a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentc_runtime.cassette import Cassette, RecordingTransport, ReplayTransport
from agentc_runtime.events import Event
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.recorded import CassetteError
from agentc_runtime.refusals import Refusal
from agentc_runtime.run import RunResult, run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.store import Store, StoreError
from agentc_runtime.switches import Switches
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle

from .approver import TerminalApprover
from .diagnostics import did_you_mean
from .observing import ObservingError, Watch, Watcher
from .transcript import Transcript, as_json_line

if TYPE_CHECKING:
    from agentc_runtime.durable.views import RunView


_NOT_OVER = {"waiting": "it is waiting", "needs_attention": "it needs attention"}


class RunnerError(Exception):
    """The run can't begin, or what it needs broke: one line that says what and how to mend it."""


@dataclass(frozen=True)
class RunOptions:
    """How to run. `recordings` answer model calls; `format` is `text`, `json` or `none`."""

    input: object
    session: object
    environment: str | None
    record: Path | None
    recordings: tuple[Path, ...]
    store: str | None
    durable: bool
    switches: Switches | None
    detach: bool
    format: str
    prefix: str
    color: bool
    watch: Watch


async def run_agent(bundle: Bundle, options: RunOptions) -> int:
    """Run the agent and write its transcript; 0 when it succeeded, else 1.

    Raises:
        RunnerError: an unknown environment, a recording that can't be used, a store that can't be written, or
            telemetry that is not there.
    """
    name = environment_name(bundle, options)
    environment = bundle.program.environments[name]
    secrets = Secrets(environment, os.environ)
    tools = HttpTransport(environment, secrets)
    try:
        models = _model_transport(options, secrets, tools)
        watcher = Watcher(options.watch, write_line)
        watching = watcher.observer(bundle.program, name, secrets)
        store: Store | None = None
        try:
            store = _store(options.store)
            result = await run_bundle(
                bundle,
                input=options.input,
                session=options.session,
                environment=name,
                transport=watcher.transport(tools),
                model_transport=models,
                journal=store or MemoryJournal(),
                log=store,
                approver=TerminalApprover(write_line, color=options.color, prefix=options.prefix),
                secrets=secrets,
                emit=both(observer(options), watching),
                switches=options.switches,
            )
        finally:
            watcher.close()
            if store is not None:
                store.close()
            if options.record is not None and isinstance(models, RecordingTransport):
                models.cassette.save(options.record)
        return _report(result, options)
    except (CassetteError, ObservingError, StoreError) as error:
        raise RunnerError(str(error)) from error
    finally:
        await tools.close()


def environment_name(bundle: Bundle, options: RunOptions) -> str:
    """The environment to run in. Raises `RunnerError` when there is none of that name."""
    environments = bundle.program.environments
    name = options.environment or bundle.program.default_environment
    if name not in environments:
        raise RunnerError(f"no environment `{name}`; {did_you_mean(name, environments)}")
    return name


async def run_durably(bundle: Bundle, options: RunOptions) -> int:
    """Begin a durable run and carry it out as far as it goes; 0 when it succeeded, else 1.

    Raises:
        RunnerError: as `run_agent`, or the engine is not installed.
    """
    from .durably import begin

    return _told(await begin(bundle, options), options)


async def resume_durably(run_id: str, options: RunOptions) -> int:
    """Take up the run of the store again and carry it out as far as it goes; 0 when it succeeded, else 1.

    Raises:
        RunnerError: no such run, it is over, or as `run_durably`.
    """
    from .durably import resume

    return _told(await resume(run_id, options), options)


def _model_transport(
    options: RunOptions, secrets: Secrets, live: HttpTransport
) -> HttpTransport | RecordingTransport | ReplayTransport:
    if options.record is not None:
        return RecordingTransport(live, secrets.redact)
    if options.recordings:
        return replaying(options.recordings, secrets)
    return live


def replaying(recordings: tuple[Path, ...], secrets: Secrets) -> ReplayTransport:
    """What was recorded of models, in place of them.

    Raises:
        CassetteError: a recording can't be used.
    """
    cassettes = [Cassette.load(path) for path in recordings]
    entries = tuple(entry for cassette in cassettes for entry in cassette.entries)
    return ReplayTransport(Cassette(entries=entries), secrets.redact)


def _store(named: str | None) -> Store | None:
    if named is None:
        return None
    make_folder(Path(named))
    return Store(named)


def make_folder(path: Path) -> None:
    """Make the folder of the store at `path`. Raises `RunnerError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunnerError(f"can't make the folder of `{path}`: {error.strerror}") from error


def write_line(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def both(first: Callable[[Event], None], second: Callable[[Event], None]) -> Callable[[Event], None]:
    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit


def observer(options: RunOptions) -> Callable[[Event], None]:
    if options.format == "none":
        return lambda event: None
    if options.format == "json":
        return lambda event: print(as_json_line(event), flush=True)
    return Transcript(write_line, color=options.color, prefix=options.prefix)


def _report(result: RunResult, options: RunOptions) -> int:
    if result.status == "succeeded":
        return _print(result.output, options)
    return _failed(result.refusal, options)


def _told(run: RunView | Refusal, options: RunOptions) -> int:
    if isinstance(run, Refusal):
        return _failed(run, replace(options, format="none"))
    if run.status == "succeeded":
        return _print(run.output, options)
    if run.refusal is not None:
        return _failed(run.refusal, options)
    if options.detach:
        print(run.run_id)
        return 0
    if options.format != "json":
        write_line(
            f"run {run.run_id} is not over: {_NOT_OVER.get(run.status, run.status)}. {run.why}".rstrip()
        )
    return 1


def _print(output: object, options: RunOptions) -> int:
    """Print the typed output."""
    if options.format != "json":
        print(json.dumps(output, indent=2, ensure_ascii=False))
    return 0


def _failed(refusal: Refusal | None, options: RunOptions) -> int:
    """Print why there is no output, when no transcript said so."""
    if options.format == "none" and refusal is not None:
        at = refusal.at
        where = f" ({options.prefix}{at.file}:{at.line})" if at else ""
        write_line(f"error: {refusal.code}: {refusal.message}{where}")
    return 1
