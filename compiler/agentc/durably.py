"""Durable runs from a terminal: begun here, or taken up again where they stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from agentc_runtime.durable.ledgers import open_ledger, store_path
from agentc_runtime.durable.starting import keep_run
from agentc_runtime.durable.views import RunView, find_run
from agentc_runtime.events import Event
from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger
from agentc_runtime.recorded import CassetteError
from agentc_runtime.refusals import Refusal, RefusedError
from agentc_runtime.release.database import DatabaseControl
from agentc_runtime.release.switching import ControlledSwitches
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle

from .observing import ObservingError, Watch, Watcher
from .runner import (
    RunnerError,
    RunOptions,
    both,
    environment_name,
    make_folder,
    observer,
    replaying,
    write_line,
)

if TYPE_CHECKING:
    from agentc_runtime.switches import Switches
    from agentc_runtime.wire import Transport


@dataclass(frozen=True)
class TerminalDoors:
    """What a run has on a terminal: recordings may answer for models."""

    options: RunOptions
    watcher: Watcher

    def tools(self, live: HttpTransport) -> Transport:
        """The servers of tools, told which trace a call is part of."""
        return self.watcher.transport(live)

    def models(self, secrets: Secrets, live: HttpTransport) -> Transport:
        """The models themselves, or what was recorded of them."""
        return replaying(self.options.recordings, secrets) if self.options.recordings else live

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        """The transcript, and whoever else watches."""
        return both(observer(self.options), self.watcher.observer(bundle.program, environment, secrets))


@dataclass(frozen=True)
class WorkerDoors:
    """What a run has in a worker: the services and models themselves."""

    watcher: Watcher

    def tools(self, live: HttpTransport) -> Transport:
        """The servers of tools, told which trace a call is part of."""
        return self.watcher.transport(live)

    def models(self, secrets: Secrets, live: HttpTransport) -> Transport:
        """The models themselves."""
        return live

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        """Whoever watches the worker. The store says what happens as well."""
        return self.watcher.observer(bundle.program, environment, secrets)


async def begin(bundle: Bundle, options: RunOptions) -> RunView | Refusal:
    """Begin a run, and carry it out as far as it goes; the refusal when its input is not fit for it.

    Raises:
        RunnerError: the engine is not installed, the environment is not known, or the store can't be used.
    """
    environment = environment_name(bundle, options)
    url = _store(options)
    watcher = Watcher(options.watch, write_line)
    here = None if options.detach else _engine()
    try:
        ledger = open_ledger(url)
        try:
            run_id = keep_run(
                ledger,
                bundle,
                os.environ,
                environment=environment,
                input=options.input,
                session=options.session,
                handed=here is not None,
            )
            if here is not None:
                doors = TerminalDoors(options, watcher)
                with _leaving(run_id, options):
                    await here.carry_out(url, ledger, run_id, doors, os.environ, options.switches)
            return _found(ledger, run_id)
        finally:
            watcher.close()
            ledger.close()
    except RefusedError as error:
        return error.refusal
    except (CassetteError, ObservingError, StoreError) as error:
        raise RunnerError(str(error)) from error


async def resume(run_id: str, options: RunOptions) -> RunView:
    """Take a run up again, and carry it out as far as it goes.

    Raises:
        RunnerError: there is no such run, it is over or not durable, or as `begin`.
    """
    here = _engine()
    url = _store(options)
    watcher = Watcher(options.watch, write_line)
    try:
        ledger = open_ledger(url)
        try:
            run = _found(ledger, run_id)
            if run.ended is not None:
                raise RunnerError(f"run `{run_id}` is over: {run.status}")
            if not run.durable:
                raise RunnerError(f"run `{run_id}` is not durable: it can't go on")
            doors = TerminalDoors(options, watcher)
            try:
                with _leaving(run_id, options):
                    await here.take_up(url, ledger, run_id, doors, os.environ, options.switches)
            except here.CarriedOutError as error:
                raise RunnerError(str(error)) from error
            return _found(ledger, run_id)
        finally:
            watcher.close()
            ledger.close()
    except (CassetteError, ObservingError, StoreError) as error:
        raise RunnerError(str(error)) from error


@contextmanager
def _leaving(run_id: str, options: RunOptions) -> Iterator[None]:
    """Say how a run goes on that Ctrl-C has stopped."""
    try:
        yield
    except asyncio.CancelledError:
        if options.format != "json":
            write_line(f"run {run_id} is not over: `agentc runs resume` lets it go on")
        raise


def serve(
    url: str, switches: Switches | None, watch: Watch, *, concurrency: int, takeover_after: float
) -> None:
    """Carry out runs until SIGTERM or SIGINT.

    Raises:
        RunnerError: the engine is not installed, or the store or telemetry can't be used.
    """
    _engine()
    from agentc_runtime.durable.worker import work

    make_folder_of(url)
    watcher = Watcher(watch, write_line, service="agentc-worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        watcher.prepare()
        ledger = open_ledger(url)
        try:
            write_line(f"worker of {ledger.name}: up to {concurrency} runs at once")
            work(
                url,
                ledger,
                WorkerDoors(watcher),
                os.environ,
                stop,
                switches or ControlledSwitches(DatabaseControl(ledger)),
                concurrency=concurrency,
                patience=takeover_after,
            )
        finally:
            watcher.close()
            ledger.close()
    except (ObservingError, StoreError) as error:
        raise RunnerError(str(error)) from error


def _found(ledger: Ledger, run_id: str) -> RunView:
    detail = find_run(ledger, run_id)
    if detail is None:
        raise RunnerError(
            f"no run `{run_id}` in {ledger.name}; `agentc runs list` shows those that are there"
        )
    return detail.run


def _store(options: RunOptions) -> str:
    url = options.store or ""
    make_folder_of(url)
    return url


def make_folder_of(url: str) -> None:
    """Make the folder of a store that is a file. Raises `RunnerError`."""
    path = store_path(url)
    if path is not None:
        make_folder(path)


def _engine() -> ModuleType:
    try:
        from agentc_runtime.durable import here
    except ImportError as error:
        name = error.name or "a package"
        raise RunnerError(
            f"durable runs need `{name}`: install the extra, `pip install 'agentc[durable]'`"
        ) from error
    return here
