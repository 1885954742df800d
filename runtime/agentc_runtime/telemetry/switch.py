"""Whether telemetry is wanted, by OpenTelemetry's own environment variables. Imports nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ASKED: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
)


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether a variable names an endpoint or an exporter, and `OTEL_SDK_DISABLED` is not true."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return any(environ.get(name, "").strip() not in ("", "none") for name in _ASKED)
