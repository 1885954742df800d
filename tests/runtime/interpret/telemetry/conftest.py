"""A run that is watched by OpenTelemetry, with the SDK's own collectors in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentc_runtime.telemetry.content import Content
from agentc_runtime.telemetry.observing import Telemetry
from agentc_runtime.telemetry.propagation import TracedTransport


@dataclass
class Seen:
    """What was exported. `content` and `parent` are those of the next run."""

    spans_to: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    metrics_to: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    logs_to: InMemoryLogRecordExporter = field(default_factory=InMemoryLogRecordExporter)
    content: Content = field(default_factory=Content)
    parent: Any = None

    def __post_init__(self) -> None:
        tracers, loggers = TracerProvider(), LoggerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans_to))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs_to))
        self.telemetry = Telemetry(tracers, MeterProvider([self.metrics_to]), loggers)

    def watch(self, program: Any) -> Any:
        return self.telemetry.observer(program, "test", content=self.content, parent=self.parent)

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they began."""
        return sorted(self.spans_to.get_finished_spans(), key=lambda span: span.start_time or 0)

    def tree(self) -> list[str]:
        """One line a span, indented by how deep it lies."""
        depth: dict[int, int] = {}
        lines = []
        for span in self.spans:
            above = -1 if span.parent is None else depth.get(span.parent.span_id, -1)
            depth[span.context.span_id] = above + 1
            lines.append("  " * (above + 1) + span.name)
        return lines

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def events(self) -> list[tuple[str, str]]:
        """Name of the span, name of the event."""
        return [(span.name, event.name) for span in self.spans for event in span.events]

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Attributes and value, or sum, of each series of one instrument."""
        data = self.metrics_to.get_metrics_data()
        return [
            (dict(point.attributes), getattr(point, "value", None) or getattr(point, "sum", 0))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def everything(self) -> str:
        """All that left, as text."""
        data = self.metrics_to.get_metrics_data()
        texts = [span.to_json() for span in self.spans]
        texts += [record.to_json() for record in self.logs_to.get_finished_logs()]
        return "\n".join([*texts, "" if data is None else data.to_json()])


@pytest.fixture
def seen(rig: Any) -> Seen:
    seen = Seen()
    rig.watch, rig.wrap = seen.watch, TracedTransport
    return seen
