"""W3C trace context: taken from whoever starts a run, and given to the servers of its tools."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..wire import HttpRequest, HttpResponse, Transport

__all__ = ["TracedTransport", "incoming"]

#: No baggage: it would carry whatever the caller put into it to every service that a tool reaches.
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_HEADERS: Final = ("traceparent", "tracestate")


def incoming(headers: Mapping[str, str]) -> Context | None:
    """The context of a caller, from HTTP headers, or from environment variables with the names of these.

    `None` when there is none, or none that is valid.
    """
    lower = {name.lower(): value for name, value in headers.items() if name.lower() in _HEADERS}
    context = _PROPAGATOR.extract(lower, Context())
    return context or None


class TracedTransport:
    """`inner`, with the context of the open span in each request.

    It adds headers and decides nothing: `inner` checks where a request may go, as it does without. A request
    that says itself which trace it is part of stays as it is, and so does a `private` one, for credentials.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    @property
    def replays(self) -> bool:
        """Whether `inner` replays."""
        return getattr(self._inner, "replays", False) is True

    def send(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        """See `wire.Transport`."""
        if not request.private and not any(name in request.headers for name in _HEADERS):
            added: dict[str, str] = {}
            _PROPAGATOR.inject(added)
            request = msgspec.structs.replace(request, headers={**request.headers, **added})
        return self._inner.send(request)

    async def close(self) -> None:
        """See `wire.Transport`."""
        await self._inner.close()
