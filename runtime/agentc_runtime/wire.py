"""One HTTP exchange, as the broker and the model client ask for it and the transports carry it out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from .environments import ClientCertificate
from .refusals import RefusedError


class UnsentError(RefusedError):
    """A failure before the first byte of the request left: the service can't have acted on it."""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is ready to send. `origin` is `scheme://host:port`, the only place it may go to.

    Header names are lower case. `timeout_ms` covers connecting, sending and reading to the end.
    `max_response_bytes` bounds the body after decompression. A `private` exchange is about credentials: it
    is never recorded. `certificate` is shown to the server, on a connection of its own.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    origin: str
    timeout_ms: int
    max_response_bytes: int
    private: bool = False
    certificate: ClientCertificate | None = None


class HttpResponse(Protocol):
    """An answer whose body has not been read yet. Header names are lower case."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; repeated ones joined by a comma."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, decompressed, in pieces as they arrive.

        Raises:
            RefusedError: AR401 too large, AR405 timed out, AR406 broken off.
        """


class Transport(Protocol):
    """The only code that opens connections. It checks the destination on each connection that it makes."""

    def send(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        """Send, and give the answer once its headers are there. The connection is freed on exit.

        Raises:
            RefusedError: AR301 other destination, AR302 private address, AR303 redirect, AR405, AR406; AR506,
                AR508, AR509 of the client certificate.
        """

    async def close(self) -> None:
        """Free all connections."""
