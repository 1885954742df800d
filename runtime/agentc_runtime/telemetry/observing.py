"""Telemetry of runs over any OpenTelemetry providers: one observer for traces, metrics and logs."""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider, format_span_id, format_trace_id

from .. import __version__
from ..bundle import Program
from ..events import Event
from . import names
from .attributes import Attributes, Severity
from .content import Content
from .logs import SEVERITIES, Logs, Sink
from .metrics import Instruments, Measurements, Waiting
from .scopes import Scopes
from .spans import Spans

_SCOPE = "agentc"


class Telemetry:
    """What runs tell to OpenTelemetry. One for a process; `observer` gives what `run_bundle` emits to."""

    def __init__(
        self,
        tracers: TracerProvider,
        meters: MeterProvider,
        loggers: LoggerProvider | None = None,
        *,
        waiting: Waiting | None = None,
    ) -> None:
        """`waiting` says how many approvals wait, for a process whose runs may wait in others."""
        self._tracer = tracers.get_tracer(_SCOPE, __version__)
        self._instruments = Instruments(meters.get_meter(_SCOPE, __version__), waiting)
        self._logger = None if loggers is None else loggers.get_logger(_SCOPE, __version__)

    def observer(
        self,
        program: Program,
        environment: str | None = None,
        *,
        content: Content | None = None,
        parent: Context | None = None,
        sinks: tuple[Sink, ...] = (),
    ) -> Callable[[Event], None]:
        """The observer of one run of `program`.

        `parent` is the context that the run belongs to, the current one if it is not given. `sinks` get the
        run's log records as well.
        """
        content = content or Content()
        name = environment or program.default_environment
        spans = Spans(self._tracer, program, name, content, parent)
        measurements = Measurements(self._instruments, name)
        all_sinks = (*sinks, self._log) if self._logger is not None else sinks
        logs = Logs(all_sinks, content, time.time_ns)
        scopes = Scopes(program)

        def observe(event: Event) -> None:
            about = scopes.program(event)
            spans.open(event, about)
            measurements(event, about)
            logs(event, about)
            spans.close(event)
            scopes.note(event, about)

        return observe

    def evaluated(self, eval_name: str, agent: str, version: str, environment: str, pass_rate: float) -> None:
        """Record what an eval of an agent came to. `pass_rate` is from 0 to 1."""
        told: Attributes = {
            names.EVALUATION_NAME: eval_name,
            names.AGENT_NAME: agent,
            names.AGENT_VERSION: version,
            names.ENVIRONMENT: environment,
        }
        self._instruments.pass_rate.set(pass_rate, told)

    def _log(self, nanoseconds: int, severity: Severity, name: str, attributes: Attributes) -> None:
        if self._logger is not None:
            self._logger.emit(
                timestamp=nanoseconds,
                severity_number=SeverityNumber(SEVERITIES[severity]),
                severity_text=severity,
                event_name=name,
                attributes=attributes,
            )


def correlate() -> tuple[str, str] | None:
    """The ids of the trace and the span that are open, as log lines name them."""
    ids = trace.get_current_span().get_span_context()
    return (format_trace_id(ids.trace_id), format_span_id(ids.span_id)) if ids.is_valid else None
