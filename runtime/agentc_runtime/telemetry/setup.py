"""Providers from OpenTelemetry's own environment variables, for a process that has none yet.

The SDK's own configurator is private and picks exporters from whatever is installed; here are the ones that
agentc ships with: OTLP over HTTP, and the console.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, ConsoleLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from . import names
from .metrics import Waiting
from .observing import Telemetry

if TYPE_CHECKING:
    from .prometheus import Exposition

_EXPORTERS: Final = ("otlp", "console", "none")
_PROTOCOL: Final = "http/protobuf"
#: Seconds for which what is left at the end is tried to be sent again.
PATIENCE: Final = 3.0


class _Spans(OTLPSpanExporter):
    """One that may be stopped twice."""

    _over = False

    def shutdown(self) -> None:
        if not self._over:
            self._over = True
            super().shutdown()  # type: ignore[no-untyped-call]  # the SDK's


class _Metrics(OTLPMetricExporter):
    """One that may be stopped twice."""

    _over = False

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        if not self._over:
            self._over = True
            super().shutdown(timeout_millis, **kwargs)


class _Logs(OTLPLogExporter):
    """One that may be stopped twice."""

    _over = False

    def shutdown(self) -> None:
        if not self._over:
            self._over = True
            super().shutdown()  # type: ignore[no-untyped-call]  # the SDK's


class TelemetryError(Exception):
    """A variable asks for what is not there. One line that names it."""


class Providers:
    """The providers of this process. Their exporters read their endpoint, headers and timeouts from the
    environment.

    Raises:
        TelemetryError: another exporter or protocol is asked for.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        service: str,
        version: str,
        readers: tuple[MetricReader, ...] = (),
        waiting: Waiting | None = None,
    ) -> None:
        chosen = {signal: _exporter(environ, signal) for signal in ("TRACES", "METRICS", "LOGS")}
        self._stop: Callable[[], None] | None = None
        self._exporters: list[_Spans | _Metrics | _Logs] = []
        if chosen["METRICS"] == "prometheus":
            from .prometheus import Exposition

            exposition = Exposition()
            self._stop = _listening(environ, exposition)
            readers = (*readers, exposition.reader)
        said = {names.SERVICE_NAME: service, names.SERVICE_VERSION: version}
        # what the environment says about the service wins over what we know of it
        self.resource = Resource.create(said).merge(OTELResourceDetector().detect())
        self.tracers = TracerProvider(resource=self.resource)
        if chosen["TRACES"] != "none":
            spans = _Spans() if chosen["TRACES"] == "otlp" else ConsoleSpanExporter(out=sys.stderr)
            self._keep(spans)
            self.tracers.add_span_processor(BatchSpanProcessor(spans))
        if chosen["METRICS"] in ("otlp", "console"):
            metrics = _Metrics() if chosen["METRICS"] == "otlp" else ConsoleMetricExporter(out=sys.stderr)
            self._keep(metrics)
            readers = (*readers, PeriodicExportingMetricReader(metrics))
        self.meters = MeterProvider(readers, resource=self.resource)
        self.loggers = LoggerProvider(resource=self.resource)
        if chosen["LOGS"] != "none":
            logs = _Logs() if chosen["LOGS"] == "otlp" else ConsoleLogRecordExporter(out=sys.stderr)
            self._keep(logs)
            self.loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
        self.telemetry = Telemetry(self.tracers, self.meters, self.loggers, waiting=waiting)

    def _keep(self, exporter: object) -> None:
        if isinstance(exporter, _Spans | _Metrics | _Logs):
            self._exporters.append(exporter)

    def shutdown(self) -> None:
        """Send what is left, within the timeouts of the exporters, and stop."""
        providers = (self.tracers, self.meters, self.loggers)
        with ThreadPoolExecutor(len(providers)) as pool:
            sending = [pool.submit(provider.shutdown) for provider in providers]
            if wait(sending, timeout=PATIENCE).not_done:
                # nobody is there, or slow: what is under way may end, and is not tried again
                for exporter in self._exporters:
                    exporter.shutdown()
            for done in sending:
                done.result()
        if self._stop is not None:
            self._stop()


def _listening(environ: Mapping[str, str], exposition: Exposition) -> Callable[[], None]:
    host = environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
    port = environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or "9464"
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise TelemetryError(f"OTEL_EXPORTER_PROMETHEUS_PORT is `{port[:40]}`, which is no port")
    try:
        return exposition.listen(host, int(port))
    except OSError as error:
        where = f"OTEL_EXPORTER_PROMETHEUS_HOST, OTEL_EXPORTER_PROMETHEUS_PORT: {host[:80]}:{port}"
        raise TelemetryError(f"{where} can't be listened at: {error.strerror}") from error


def _exporter(environ: Mapping[str, str], signal: str) -> str:
    variable = f"OTEL_{signal}_EXPORTER"
    exporter = environ.get(variable, "").strip() or "otlp"
    exporters = (*_EXPORTERS, "prometheus") if signal == "METRICS" else _EXPORTERS
    if exporter not in exporters:
        known = ", ".join(f"`{name}`" for name in exporters)
        raise TelemetryError(f"{variable} is `{exporter[:40]}`, and there is {known}")
    for protocol in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        said = environ.get(protocol, "").strip() or _PROTOCOL
        if exporter == "otlp" and said != _PROTOCOL:
            raise TelemetryError(f"{protocol} is `{said[:40]}`, and there is `{_PROTOCOL}`")
    return exporter
