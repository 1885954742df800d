"""The only code that opens connections: one request to one origin, within one deadline and one size.

It stands on httpcore and not on httpx: httpx rewrites `..` in paths, follows redirects on demand and reads
proxies from the process environment. httpcore sends the target as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpcore

from . import __version__
from .decoding import ACCEPTED, Decoder
from .egress import CheckedNetwork
from .environments import ClientCertificate, Environment
from .quoting import clipped, shortened
from .refusals import Refusal, RefusedError
from .secrets import Secrets
from .tls import Trust, context_of, trust_of
from .urls import Url, UrlError, parse_url
from .wire import HttpRequest, HttpResponse, UnsentError

#: Connections that one transport holds open at a time to each scheme, and how many of them idle.
MAX_CONNECTIONS: Final = 100
MAX_IDLE: Final = 20
#: Seconds that an idle connection is kept.
IDLE_SECONDS: Final = 5.0
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpTransport:
    """HTTP/1.1 to the servers of one environment: no proxy, no redirect, no cookie, no retry of its own.

    `secrets` hold the client certificates that requests name. Connections are shared by requests that show
    the same certificate, or none, and by no others.
    """

    def __init__(self, environment: Environment, secrets: Secrets | None = None) -> None:
        self._secrets = secrets
        self._authorities = {host.lower(): text for host, text in environment.certificate_authorities.items()}
        self._network = CheckedNetwork(environment)
        self._pools: dict[Trust | None, httpcore.AsyncConnectionPool] = {}

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[HttpResponse]:
        """Send, and give the answer once its headers are there. See `wire.Transport`."""
        url = _destination(request)
        exchange = _Exchange(request, url)
        try:
            pool = self._pool(url, request.certificate)
        except RefusedError as error:
            raise UnsentError(error.refusal) from error
        answer = await exchange.start(pool)
        try:
            yield _Answer(exchange, answer)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Free all connections."""
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    def _pool(self, url: Url, certificate: ClientCertificate | None) -> httpcore.AsyncConnectionPool:
        trust = None
        if url.scheme == "https":
            authorities = self._authorities.get(url.origin.partition("://")[2]) if self._authorities else None
            trust = trust_of(authorities, certificate, self._secrets)
        pool = self._pools.get(trust)
        if pool is None:
            # once for each trust, and only if somebody speaks TLS: it takes tens of milliseconds
            pool = self._pools[trust] = httpcore.AsyncConnectionPool(
                ssl_context=None if trust is None else context_of(trust, certificate),
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_IDLE,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._network,
            )
        return pool


class _Exchange:
    """One request under its deadline. Knows whether a byte of it has left."""

    def __init__(self, request: HttpRequest, url: Url) -> None:
        self.request = request
        self.url = url
        self.sent = False
        self.deadline = asyncio.get_running_loop().time() + request.timeout_ms / 1000

    async def start(self, pool: httpcore.AsyncConnectionPool) -> httpcore.Response:
        request = httpcore.Request(
            self.request.method,
            httpcore.URL(
                scheme=self.url.scheme.encode(),
                host=self.url.host.encode(),
                port=self.url.port,
                target=self.url.target.encode(),
            ),
            headers=_wire_headers(self.request, self.url),
            content=self.request.body or b"",
            extensions={"trace": self._trace},
        )
        try:
            async with asyncio.timeout_at(self.deadline):
                answer = await pool.handle_async_request(request)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise self.late() from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise self.broken(error) from error
        headers = dict(_joined(answer))
        if answer.status in _REDIRECTS or (300 <= answer.status < 400 and "location" in headers):
            await answer.aclose()
            message = f"`{self.url.authority}` answered with a redirect (status {answer.status})"
            value = {"status": answer.status, "untrusted_location": clipped(headers.get("location", ""))}
            raise RefusedError(Refusal(code="AR303", message=message, value=value))
        return answer

    def late(self) -> RefusedError:
        message = f"`{self.url.authority}` did not answer within {self.request.timeout_ms} ms"
        refusal = Refusal(code="AR405", message=message, value=self.request.timeout_ms)
        return RefusedError(refusal) if self.sent else UnsentError(refusal)

    def broken(self, error: Exception) -> RefusedError:
        what = "broke off or did not speak HTTP" if self.sent else "could not be connected to"
        value = shortened(f"{type(error).__name__}: {error}")
        refusal = Refusal(code="AR406", message=f"`{self.url.authority}` {what}", value=value)
        return RefusedError(refusal) if self.sent else UnsentError(refusal)

    async def _trace(self, event: str, _: Mapping[str, object]) -> None:
        if event == "http11.send_request_headers.started":
            self.sent = True


class _Answer:
    """An answer whose body has not been read yet."""

    def __init__(self, exchange: _Exchange, answer: httpcore.Response) -> None:
        self._exchange = exchange
        self._answer = answer
        self._headers = dict(_joined(answer))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self._answer.status)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case; repeated ones joined by a comma."""
        return self._headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, decompressed, in pieces as they arrive. See `wire.HttpResponse`."""
        limit = self._exchange.request.max_response_bytes
        decoder = Decoder(self._headers.get("content-encoding", ""), limit)
        stream = aiter(self._answer.aiter_stream())
        while (data := await self._next(stream)) is not None:
            for piece in decoder.feed(data):
                yield piece
        decoder.finish()

    async def _next(self, stream: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout_at(self._exchange.deadline):
                return await anext(stream, None)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise self._exchange.late() from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise self._exchange.broken(error) from error


def _destination(request: HttpRequest) -> Url:
    try:
        url = parse_url(request.url)
    except UrlError as error:
        raise UnsentError(Refusal(code="AR301", message=f"the request's URL {error}")) from error
    if url.origin != request.origin:
        message = f"the request is for `{url.origin}`, the plan for `{shortened(request.origin)}`"
        raise UnsentError(Refusal(code="AR301", message=message, value=url.origin))
    return url


def _wire_headers(request: HttpRequest, url: Url) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", url.authority.encode())]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()]
    if "user-agent" not in request.headers:
        # Some published APIs refuse requests that do not say who asks.
        headers.append((b"user-agent", f"agentc/{__version__}".encode()))
    if "accept-encoding" not in request.headers:
        headers.append((b"accept-encoding", ACCEPTED.encode()))
    if request.body is not None or request.method in _WITH_BODY:
        headers.append((b"content-length", str(len(request.body or b"")).encode()))
    return headers


def _joined(answer: httpcore.Response) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in answer.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
