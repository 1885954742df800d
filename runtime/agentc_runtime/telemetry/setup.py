"""Providers from OpenTelemetry's own environment variables, for a process that has none yet.

The SDK's own configurator is private and picks exporters from whatever is installed; here are the ones that
agentc ships with: OTLP over HTTP, and the console.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

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
from .observing import Telemetry

_EXPORTERS: Final = ("otlp", "console", "none")
_PROTOCOL: Final = "http/protobuf"


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
    ) -> None:
        chosen = {signal: _exporter(environ, signal) for signal in ("TRACES", "METRICS", "LOGS")}
        said = {names.SERVICE_NAME: service, names.SERVICE_VERSION: version}
        # what the environment says about the service wins over what we know of it
        self.resource = Resource.create(said).merge(OTELResourceDetector().detect())
        self.tracers = TracerProvider(resource=self.resource)
        if chosen["TRACES"] != "none":
            spans = OTLPSpanExporter() if chosen["TRACES"] == "otlp" else ConsoleSpanExporter(out=sys.stderr)
            self.tracers.add_span_processor(BatchSpanProcessor(spans))
        if chosen["METRICS"] != "none":
            metrics = (
                OTLPMetricExporter() if chosen["METRICS"] == "otlp" else ConsoleMetricExporter(out=sys.stderr)
            )
            readers = (*readers, PeriodicExportingMetricReader(metrics))
        self.meters = MeterProvider(readers, resource=self.resource)
        self.loggers = LoggerProvider(resource=self.resource)
        if chosen["LOGS"] != "none":
            logs = OTLPLogExporter() if chosen["LOGS"] == "otlp" else ConsoleLogRecordExporter(out=sys.stderr)
            self.loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
        self.telemetry = Telemetry(self.tracers, self.meters, self.loggers)

    def shutdown(self) -> None:
        """Send what is left, within the timeouts of the exporters, and stop."""
        self.tracers.shutdown()
        self.meters.shutdown()
        self.loggers.shutdown()


def _exporter(environ: Mapping[str, str], signal: str) -> str:
    variable = f"OTEL_{signal}_EXPORTER"
    exporter = environ.get(variable, "").strip() or "otlp"
    if exporter not in _EXPORTERS:
        known = ", ".join(f"`{name}`" for name in _EXPORTERS)
        raise TelemetryError(f"{variable} is `{exporter[:40]}`, and there is {known}")
    for protocol in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        said = environ.get(protocol, "").strip() or _PROTOCOL
        if exporter == "otlp" and said != _PROTOCOL:
            raise TelemetryError(f"{protocol} is `{said[:40]}`, and there is `{_PROTOCOL}`")
    return exporter
