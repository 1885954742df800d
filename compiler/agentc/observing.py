"""Who watches a run from the terminal besides its transcript: OpenTelemetry, and log lines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentc_runtime import __version__
from agentc_runtime.events import Event
from agentc_runtime.labels import Sensitivity
from agentc_runtime.secrets import Secrets
from agentc_runtime.telemetry.switch import wanted

if TYPE_CHECKING:
    from agentc_runtime.bundle import Program
    from agentc_runtime.telemetry.attributes import Attributes
    from agentc_runtime.telemetry.content import Content
    from agentc_runtime.telemetry.metrics import Waiting
    from agentc_runtime.telemetry.setup import Providers
    from agentc_runtime.wire import Transport

    from .evals.outcome import Outcome

INSTALL = "OpenTelemetry is not installed: pip install 'agentc[otel]'"


class ObservingError(Exception):
    """What was asked for is not installed, or a variable asks for what is not there. One line."""


@dataclass(frozen=True)
class Watch:
    """What to watch a run with. `telemetry` is `None` for whatever the environment variables say."""

    telemetry: bool | None = None
    content: Sensitivity | None = None
    logs: bool = False


def tell_outcomes(outcomes: list[Outcome], warn: Callable[[str], None]) -> None:
    """Send the pass rates of evals to where OpenTelemetry's variables say.

    Raises:
        ObservingError: a variable asks for what is not there.
    """
    try:
        from agentc_runtime.telemetry import setup
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        warn(f"warning: {INSTALL}")
        return
    first = outcomes[0]
    try:
        providers = setup.Providers(os.environ, service=first.agent, version=first.agent_version)
    except setup.TelemetryError as error:
        raise ObservingError(str(error)) from error
    for one in outcomes:
        rate = one.summary.pass_rate.value
        providers.telemetry.evaluated(one.eval, one.agent, one.agent_version, one.environment, rate)
    providers.shutdown()


class Watcher:
    """Watches the runs of this process, and imports no more than it was asked for.

    `warn` gets a line. `service` is what the process calls itself; by default it is the agent. `store` is the
    URL of a store that tells how many approvals wait, for a process that is not the only one of its runs.
    """

    def __init__(
        self,
        asked: Watch,
        warn: Callable[[str], None],
        *,
        service: str | None = None,
        store: str | None = None,
    ) -> None:
        self._asked = asked
        self._warn = warn
        self._service = service
        self._store = store
        self._providers: Providers | None = None

    def prepare(self) -> None:
        """Find out now what can't be had, before the first run.

        Raises:
            ObservingError: it can't be had.
        """
        self._content(lambda text: text)
        if self._wanted():
            self._begin(self._service or "agentc", __version__)

    def observer(
        self, program: Program, environment: str, secrets: Secrets, trace: Mapping[str, str] | None = None
    ) -> Callable[[Event], None]:
        """Who is told what happens in one run. `trace` is the W3C context that the run is part of; left out,
        that of the process.

        Raises:
            ObservingError: it can't be had.
        """
        on = self._wanted()
        if not on and not self._asked.logs:
            return _nothing
        content = self._content(secrets.redact)
        if on:
            self._begin(self._service or program.agent.name, program.agent.version)
        providers = self._providers
        if providers is None:
            return self._logged(program, content) if self._asked.logs else _nothing
        from agentc_runtime.telemetry import logs, observing, propagation

        lines = logs.json_lines(logs.stderr_line, dict(providers.resource.attributes), observing.correlate)
        return providers.telemetry.observer(
            program,
            environment,
            content=content,
            parent=propagation.incoming(os.environ if trace is None else trace),
            sinks=(lines,) if self._asked.logs else (),
        )

    def transport(self, live: Transport) -> Transport:
        """What tools send through: `live`, or `live` with the context of the trace. After `observer`."""
        if self._providers is None:
            return live
        from agentc_runtime.telemetry.propagation import TracedTransport

        return TracedTransport(live)

    def close(self) -> None:
        """Send what is left."""
        if self._providers is not None:
            self._providers.shutdown()

    def _wanted(self) -> bool:
        return wanted(os.environ) if self._asked.telemetry is None else self._asked.telemetry

    def _content(self, redact: Callable[[str], str]) -> Content:
        from agentc_runtime.telemetry.content import Content, captured

        try:
            return Content(self._asked.content or captured(os.environ), redact)
        except ValueError as error:
            raise ObservingError(str(error)) from error

    def _begin(self, service: str, version: str) -> None:
        if self._providers is not None:
            return
        try:
            from agentc_runtime.telemetry import setup
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("opentelemetry"):
                raise
            if self._asked.telemetry:
                raise ObservingError(INSTALL) from error
            self._warn(f"warning: {INSTALL}")
            return
        try:
            waiting = None if self._store is None else _waiting(self._store)
            self._providers = setup.Providers(os.environ, service=service, version=version, waiting=waiting)
        except setup.TelemetryError as error:
            raise ObservingError(str(error)) from error

    def _logged(self, program: Program, content: Content) -> Callable[[Event], None]:
        from agentc_runtime.telemetry import logs
        from agentc_runtime.telemetry.scopes import Scopes

        service = {"service.name": program.agent.name, "service.version": program.agent.version}
        lines = logs.json_lines(logs.stderr_line, service, logs.uncorrelated)
        records, scopes = logs.Logs((lines,), content, time.time_ns), Scopes(program)

        def observe(event: Event) -> None:
            about = scopes.program(event)
            records(event, about)
            scopes.note(event, about)

        return observe


def _waiting(store: str) -> Waiting:
    from agentc_runtime.durable.approvals import count_waiting
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.journal import StoreError
    from agentc_runtime.telemetry import names

    def waiting() -> list[tuple[int, Attributes]]:
        try:
            with closing(open_ledger(store)) as ledger:
                found = count_waiting(ledger)
        except StoreError:
            return []  # a measurement that is missing says more than one that is made up
        return [
            (
                one.approvals,
                {
                    names.AGENT_NAME: one.agent,
                    names.AGENT_VERSION: one.version,
                    names.ENVIRONMENT: one.environment,
                },
            )
            for one in found
        ]

    return waiting


def _nothing(event: Event) -> None:
    """Nobody watches."""
