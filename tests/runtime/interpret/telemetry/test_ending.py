"""The end of a process whose collector is away: what can't be sent is soon given up."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentc_runtime.telemetry import setup


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """A collector that is always about to come back: how often each of its paths was asked."""
    asked: Counter[str] = Counter()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked[self.path] += 1
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


def test_nothing_is_tried_again_for_long(away: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "PATIENCE", 0.1)
    providers = setup.Providers(os.environ, service="triage", version="1.0.0")
    with providers.tracers.get_tracer("test").start_as_current_span("a run"):
        providers.meters.get_meter("test").create_counter("runs").add(1)
        providers.loggers.get_logger("test").emit(body="it runs")
    providers.shutdown()
    assert away == {"/v1/traces": 1, "/v1/metrics": 1, "/v1/logs": 1}
