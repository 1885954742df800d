"""Measurements for Prometheus to fetch: the same instruments, in its text format.

OpenTelemetry's exporter, which stands on `prometheus_client`, and not that library alone: with it every
instrument would be written twice, and the two would drift apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, make_asgi_app, start_http_server
from prometheus_client.exposition import choose_encoder


class Page(NamedTuple):
    """What an endpoint answers with."""

    content_type: str
    body: bytes


class Exposition:
    """A registry of its own. `reader` goes to the meter provider, `page` and `app` to whoever serves it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # the agent is a label of each series already; what else is known of the process stands in target_info
        self.reader = PrometheusMetricReader(registry=self._registry, scope_info_enabled=False)

    def page(self, accept: str = "") -> Page:
        """The measurements as they are now, in the format that the header `accept` prefers."""
        encode, content_type = choose_encoder(accept)
        return Page(content_type, encode(self._registry))

    def app(self) -> Callable[..., Any]:
        """An ASGI application that answers every request with `page`, to be mounted under `/metrics`."""
        application: Callable[..., Any] = make_asgi_app(self._registry)
        return application

    def listen(self, host: str, port: int) -> Callable[[], None]:
        """Serve `page` over HTTP in a thread of its own, and give what stops it.

        Raises:
            OSError: the address can't be had.
        """
        server, thread = start_http_server(port, host, self._registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
