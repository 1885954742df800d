"""The only code that sends: one request to one origin, within one deadline and one size.

What goes over the wire is written here, byte for byte: no library changes the target or the headers, follows
a redirect, reads a proxy or a password from the machine, or sends anything a second time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Final

from . import __version__
from .connection import BrokenError, Connection, LateError
from .decoding import ACCEPTED, Decoder
from .egress import CheckedNetwork
from .environments import ClientCertificate, Environment
from .pool import Pool
from .quoting import clipped, shortened
from .refusals import Refusal, RefusedError
from .secrets import Secrets
from .tls import Trust, context_of, trust_of
from .urls import Url, UrlError, parse_url
from .wire import HttpRequest, UnsentError

#: How long, and for how many bytes, the end of an answer is waited for that was not read to it.
_LINGER_SECONDS: Final = 0.25
_LINGER_BYTES: Final = 65_536
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: Say who is spoken to and where a message ends, which is said here alone.
_FRAMING: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"}
)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")


class HttpTransport:
    """HTTP/1.1 to the servers of one environment: no proxy, no redirect, no cookie, no retry of its own.

    `secrets` hold the client certificates that requests name. Connections are shared by requests that show
    the same certificate, or none, and by no others.
    """

    def __init__(self, environment: Environment, secrets: Secrets | None = None) -> None:
        self._secrets = secrets
        self._authorities = {host.lower(): text for host, text in environment.certificate_authorities.items()}
        self._network = CheckedNetwork(environment)
        self._pools: dict[Trust | None, Pool] = {}

    def send(self, request: HttpRequest) -> _Exchange:
        """Send, and give the answer once its headers are there. See `wire.Transport`."""
        return _Exchange(self, request)

    async def close(self) -> None:
        """Free all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        await asyncio.sleep(0)  # the loop closes their sockets in its next round

    def pool(self, url: Url, certificate: ClientCertificate | None) -> Pool:
        """The connections that a request to `url` may use.

        Raises:
            RefusedError: AR406, AR506, AR508, AR509; see `tls`.
        """
        trust = None
        if url.scheme == "https":
            authorities = self._authorities.get(url.origin.partition("://")[2]) if self._authorities else None
            trust = trust_of(authorities, certificate, self._secrets)
        pool = self._pools.get(trust)
        if pool is None:
            # once for each trust, and only if somebody speaks TLS: it takes tens of milliseconds
            tls = None if trust is None else context_of(trust, certificate)
            pool = self._pools[trust] = Pool(self._network, tls)
        return pool


class _Exchange:
    """One request and its answer, under one deadline. Knows whether a byte of the request has left."""

    def __init__(self, transport: HttpTransport, request: HttpRequest) -> None:
        self._transport = transport
        self._request = request
        self._sent = False

    async def __aenter__(self) -> _Exchange:
        request = self._request
        self._url = url = _destination(request)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + request.timeout_ms / 1000
        try:
            self._pool = self._transport.pool(url, request.certificate)
        except RefusedError as error:
            raise UnsentError(error.refusal) from error
        written = self._written()
        connection = await self._pool.idle(url)
        if connection is None:
            try:
                async with asyncio.timeout_at(deadline) as limit:
                    connection = await self._pool.take(url)
            except OSError as error:
                raise self._late() if limit.expired() else self._broken(error) from error
        self._connection: Connection = connection
        try:
            connection.ask(written, deadline, body_follows=request.method != "HEAD")
            self._sent = True
            await connection.answered()
            self._refuse_redirect()
        except BaseException as error:
            self._release()
            if isinstance(error, LateError):
                raise self._late() from error
            if isinstance(error, BrokenError):
                raise self._broken(error) from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._connection.complete:
                await self._linger()
        finally:
            self._release()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case; repeated ones joined by a comma."""
        return self._connection.headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, decompressed, in pieces as they arrive. See `wire.HttpResponse`."""
        return _Body(self, self._request.max_response_bytes)

    async def read(self) -> bytes | None:
        """What has arrived of the body, as it was sent; `None` at its end.

        Raises:
            RefusedError: it is late (AR405) or broke off (AR406).
        """
        try:
            return await self._connection.read()
        except LateError as error:
            raise self._late() from error
        except BrokenError as error:
            raise self._broken(error) from error

    async def _linger(self) -> None:
        """Wait for the end, which often follows what was read: then the connection can serve again.

        The reader has what it wanted, so nothing that goes wrong here matters.
        """
        left = _LINGER_BYTES
        with suppress(BrokenError, LateError, TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0 and (data := await self._connection.read()) is not None:
                    left -= len(data)

    def _release(self) -> None:
        self._pool.give(self._url, self._connection)

    def _written(self) -> bytes:
        """The request as it is sent."""
        request = self._request
        lines = [f"{request.method} {self._url.target} HTTP/1.1", f"host: {self._url.authority}"]
        for name, value in request.headers.items():
            if not _may_be_sent(name) or not _VALUE.fullmatch(value):
                raise self._broken(BrokenError(f"the header `{shortened(name)}` can't be sent"))
            lines.append(f"{name}: {value}")
        if not _may_be_sent(request.method) or request.method == "CONNECT":
            raise self._broken(BrokenError("the method can't be sent"))
        if "user-agent" not in request.headers:
            # Some published APIs refuse requests that do not say who asks.
            lines.append(f"user-agent: agentc/{__version__}")
        if "accept-encoding" not in request.headers:
            lines.append(f"accept-encoding: {ACCEPTED}")
        body = request.body or b""
        if request.body is not None or request.method in _WITH_BODY:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join((*lines, "\r\n")).encode("latin-1") + body

    def _refuse_redirect(self) -> None:
        status, headers = self._connection.status, self._connection.headers
        if status in _REDIRECTS or (300 <= status < 400 and "location" in headers):
            message = f"`{self._url.authority}` answered with a redirect (status {status})"
            value = {"status": status, "untrusted_location": clipped(headers.get("location", ""))}
            raise RefusedError(Refusal(code="AR303", message=message, value=value))

    def _late(self) -> RefusedError:
        message = f"`{self._url.authority}` did not answer within {self._request.timeout_ms} ms"
        refusal = Refusal(code="AR405", message=message, value=self._request.timeout_ms)
        return RefusedError(refusal) if self._sent else UnsentError(refusal)

    def _broken(self, error: Exception) -> RefusedError:
        what = "broke off or did not speak HTTP" if self._sent else "could not be connected to"
        value = shortened(f"{type(error).__name__}: {error}")
        refusal = Refusal(code="AR406", message=f"`{self._url.authority}` {what}", value=value)
        return RefusedError(refusal) if self._sent else UnsentError(refusal)


@lru_cache(maxsize=1024)
def _may_be_sent(name: str) -> bool:
    return _TOKEN.fullmatch(name) is not None and name.lower() not in _FRAMING


class _Body:
    """The pieces of a body. No generator: the loop makes a task to end each one that is left half read."""

    def __init__(self, exchange: _Exchange, limit: int) -> None:
        self._exchange = exchange
        self._decoder = Decoder(exchange.headers.get("content-encoding", ""), limit)
        self._pieces: Iterator[bytes] = iter(())

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        while (piece := next(self._pieces, None)) is None:
            data = await self._exchange.read()
            if data is None:
                self._decoder.finish()
                raise StopAsyncIteration
            self._pieces = iter(self._decoder.feed(data))
        return piece


def _destination(request: HttpRequest) -> Url:
    try:
        url = parse_url(request.url)
    except UrlError as error:
        raise UnsentError(Refusal(code="AR301", message=f"the request's URL {error}")) from error
    if url.origin != request.origin:
        message = f"the request is for `{url.origin}`, the plan for `{shortened(request.origin)}`"
        raise UnsentError(Refusal(code="AR301", message=message, value=url.origin))
    return url
