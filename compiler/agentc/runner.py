"""Run a bundle on this machine: the runtime's parts put together for one run from a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentc_runtime.cassette import Cassette, RecordingTransport, ReplayTransport
from agentc_runtime.events import Event
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.recorded import CassetteError
from agentc_runtime.run import RunResult, run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.store import Store, StoreError
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle

from .approver import TerminalApprover
from .diagnostics import did_you_mean
from .transcript import Transcript, as_json_line


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
    store: Path | None
    format: str
    prefix: str
    color: bool


async def run_agent(bundle: Bundle, options: RunOptions) -> int:
    """Run the agent and write its transcript; 0 when it succeeded, else 1.

    Raises:
        RunnerError: an unknown environment, a recording that can't be used, or a store that can't be written.
    """
    program = bundle.program
    name = options.environment or program.default_environment
    if name not in program.environments:
        raise RunnerError(f"no environment `{name}`; {did_you_mean(name, program.environments)}")
    environment = program.environments[name]
    secrets = Secrets(environment, os.environ)
    tools = HttpTransport(environment, secrets)
    try:
        models = _model_transport(options, secrets, tools)
        store = _store(options.store)
        try:
            result = await run_bundle(
                bundle,
                input=options.input,
                session=options.session,
                environment=name,
                transport=tools,
                model_transport=models,
                journal=store or MemoryJournal(),
                log=store,
                approver=TerminalApprover(_stderr, color=options.color, prefix=options.prefix),
                secrets=secrets,
                emit=_observer(options),
            )
        finally:
            if store is not None:
                store.close()
            if options.record is not None and isinstance(models, RecordingTransport):
                models.cassette.save(options.record)
        return _report(result, options)
    except (CassetteError, StoreError) as error:
        raise RunnerError(str(error)) from error
    finally:
        await tools.close()


def _model_transport(
    options: RunOptions, secrets: Secrets, live: HttpTransport
) -> HttpTransport | RecordingTransport | ReplayTransport:
    if options.record is not None:
        return RecordingTransport(live, secrets.redact)
    if options.recordings:
        cassettes = [Cassette.load(path) for path in options.recordings]
        entries = tuple(entry for cassette in cassettes for entry in cassette.entries)
        return ReplayTransport(Cassette(entries=entries), secrets.redact)
    return live


def _store(path: Path | None) -> Store | None:
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunnerError(f"can't make the folder of `{path}`: {error.strerror}") from error
    return Store(path)


def _stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _observer(options: RunOptions) -> Callable[[Event], None]:
    if options.format == "none":
        return lambda event: None
    if options.format == "json":
        return lambda event: print(as_json_line(event), flush=True)
    return Transcript(_stderr, color=options.color, prefix=options.prefix)


def _report(result: RunResult, options: RunOptions) -> int:
    """Print the typed output, or why there is none when no transcript said so."""
    if result.status == "succeeded":
        if options.format != "json":
            print(json.dumps(result.output, indent=2, ensure_ascii=False))
        return 0
    if options.format == "none" and result.refusal is not None:
        at = result.refusal.at
        where = f" ({options.prefix}{at.file}:{at.line})" if at else ""
        _stderr(f"error: {result.refusal.code}: {result.refusal.message}{where}")
    return 1
