"""Files from the network, for `agentc import` alone: bounded in size, time and redirects.

A document chooses what is fetched for it. So addresses that are not on the public internet are refused, where
the connection is made, except those of the one host that a person named; and https never turns into http.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import httpcore

from agentc_runtime import __version__
from agentc_runtime.decoding import ACCEPTED, Decoder
from agentc_runtime.egress import kind_of
from agentc_runtime.refusals import RefusedError
from agentc_runtime.urls import Url, UrlError, parse_url

from .problem import ImportProblem

MAX_REDIRECTS: Final = 5
#: For each step: connecting, and each wait for bytes.
TIMEOUT_SECONDS: Final = 30.0
#: For one file as a whole.
DEADLINE_SECONDS: Final = 300.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAFE: Final = "/%!$&'()*+,;=:@-._~"
_PUBLIC_HELP: Final = (
    "if you mean it, name the document's own URL on the command line, or import it from a file"
)

#: Told of the URL and the bytes so far, for who shows progress.
Watch = Callable[[str, int], None]


class Fetched(NamedTuple):
    """What came, and from which URL: after redirects, that of the last."""

    data: bytes
    url: str


class Fetcher:
    """Fetches files over connections that are kept open between them.

    `own` is the URL that a person named: its host and port may be off the public internet.
    """

    def __init__(self, own: str | None = None, watch: Watch | None = None) -> None:
        self._own = _place(parse_url(plain_url(own))) if own is not None else None
        self._watch = watch
        self._pools: dict[str | None, httpcore.ConnectionPool] = {}
        #: What went wrong with a host, so that a document with a thousand references does not wait as often.
        self._down: dict[str, ImportProblem] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            pool.close()

    def get(self, url: str, limit: int) -> Fetched:
        """The file at `url`, of at most `limit` bytes after decompression.

        Raises:
            ImportProblem: it can't be had, is larger, or lies where it may not be fetched from.
        """
        at = plain_url(url)
        deadline = time.monotonic() + DEADLINE_SECONDS
        for _ in range(MAX_REDIRECTS + 1):
            found = self._once(parse_url(at), at, limit, deadline)
            if isinstance(found, bytes):
                return Fetched(found, at)
            if at.startswith("https:") and not found.startswith("https:"):
                raise ImportProblem(f"`{url}` redirects to plain http", "give the document's own https URL")
            at = found
        raise ImportProblem(f"`{url}` redirects more than {MAX_REDIRECTS} times")

    def _once(self, url: Url, written: str, limit: int, deadline: float) -> bytes | str:
        """The body, or the URL of a redirect."""
        place = _place(url)
        if place in self._down:
            raise self._down[place]
        request = httpcore.Request(
            "GET",
            httpcore.URL(
                scheme=url.scheme.encode(),
                host=url.host.encode(),
                port=url.port if f":{url.port}" in url.authority else None,
                target=url.target.encode(),
            ),
            headers={
                "host": url.authority,
                "accept": "*/*",
                "accept-encoding": ACCEPTED,
                "user-agent": f"agentc/{__version__}",
            },
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS)},
        )
        try:
            answer = self._pool(url).handle_request(request)
            try:
                return self._answer(answer, written, limit, deadline)
            finally:
                answer.close()
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            self._down[place] = _unreachable(url, error)
            raise self._down[place] from error
        except httpcore.TimeoutException as error:
            self._down[place] = ImportProblem(f"`{written}` did not answer in time")
            raise self._down[place] from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, OSError) as error:
            raise ImportProblem(f"`{written}` broke off: {error or type(error).__name__}") from error

    def _answer(self, answer: httpcore.Response, url: str, limit: int, deadline: float) -> bytes | str:
        headers = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
        location = headers.get(b"location")
        if answer.status in _REDIRECTS and location:
            return plain_url(urljoin(url, location))
        if answer.status != 200:
            raise _refused(url, answer.status)
        if headers.get(b"content-length", "").isdigit() and int(headers[b"content-length"]) > limit:
            raise too_large(url, limit)
        data = bytearray()
        try:
            decoder = Decoder(headers.get(b"content-encoding", ""), limit)
            for chunk in answer.iter_stream():
                for piece in decoder.feed(chunk):
                    data += piece
                if self._watch is not None:
                    self._watch(url, len(data))
                if time.monotonic() > deadline:
                    raise ImportProblem(f"`{url}` was not there after {DEADLINE_SECONDS:.0f} seconds")
            decoder.finish()
        except RefusedError as error:
            if error.refusal.code == "AR401":
                raise too_large(url, limit) from error
            raise ImportProblem(f"`{url}`: {error.refusal.message}") from error
        if _is_page(headers.get(b"content-type", ""), data):
            raise ImportProblem(
                f"`{url}` answered with a web page", "give the URL of the file itself, often called raw"
            )
        return bytes(data)

    def _pool(self, url: Url) -> httpcore.ConnectionPool:
        proxy = _proxy(url)
        if proxy is not None:
            self._check_name(url)
        if proxy not in self._pools:
            tls = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
            if proxy is None:
                self._pools[proxy] = httpcore.ConnectionPool(tls, network_backend=_Checked(self._own))
            else:
                parts = urlsplit(proxy)
                auth = (unquote(parts.username or ""), unquote(parts.password or ""))
                self._pools[proxy] = httpcore.HTTPProxy(
                    f"{parts.scheme}://{parts.hostname}:{parts.port or 80}",
                    proxy_auth=auth if parts.username else None,
                    ssl_context=tls,
                )
        return self._pools[proxy]

    def _check_name(self, url: Url) -> None:
        """Check what is known here of a host to which a proxy connects.

        Raises:
            ImportProblem: it is not on the public internet.
        """
        try:
            addresses = _addresses(url.host, url.port)
        except OSError:
            return  # only the proxy knows it
        for address in addresses:
            _check(url.host, url.port, address, self._own)


class _Checked(httpcore.NetworkBackend):
    """Opens connections to checked addresses, and to those that were checked."""

    def __init__(self, own: str | None) -> None:
        self._own = own
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers.

        Raises:
            ImportProblem: one of the addresses may not be connected to.
            httpcore.ConnectError: none answered, or there is none.
        """
        try:
            addresses = _addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(error.strerror or "no address") from error
        for address in addresses:
            _check(host, port, address, self._own)
        *others, last = addresses
        for address in others:
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._inner.connect_tcp(last, port, timeout, local_address, socket_options)


def plain_url(url: str) -> str:
    """The URL as it is sent: what is not ASCII is percent-encoded, and a fragment left out.

    Raises:
        ImportProblem: it is not plainly one scheme, one host and one path.
    """
    try:
        parts = urlsplit(url.strip())
        if parts.username is not None or parts.password is not None:
            raise ImportProblem(
                "a URL with a user name or a password is not fetched",
                "fetch the document with a program that has the credentials, and import the file",
            )
        query = f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else ""
        plain = f"{parts.scheme.lower()}://{parts.netloc}{quote(parts.path, safe=_SAFE)}{query}"
        parse_url(plain)
    except ValueError as error:
        reason = str(error) if isinstance(error, UrlError) else "is malformed"
        raise ImportProblem(f"can't read `{url[:200]}`: the URL {reason}") from error
    return plain


def place_of(url: str) -> str:
    """The host and port of a URL.

    Raises:
        ImportProblem: as `plain_url`.
    """
    return _place(parse_url(plain_url(url)))


def too_large(source: str, limit: int) -> ImportProblem:
    """The file has more than `limit` bytes."""
    return ImportProblem(f"`{source}` is larger than {limit / 1024 / 1024:.0f} MiB")


def _place(url: Url) -> str:
    return f"{url.host}:{url.port}"


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _check(host: str, port: int, address: str, own: str | None) -> None:
    kind = kind_of(address)
    if kind == "public" or (kind == "private" and f"{host}:{port}" == own):
        return
    raise ImportProblem(
        f"`{host}:{port}` is at `{address}`, which is not on the public internet", _PUBLIC_HELP
    )


def _proxy(url: Url) -> str | None:
    """The proxy that the process environment names for a URL.

    Raises:
        ImportProblem: it is one that is not spoken to here.
    """
    known = getproxies()
    proxy = known.get(url.scheme) or known.get("all")
    if not proxy or proxy_bypass(url.host):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        raise ImportProblem(f"the proxy for `{url.authority}` is neither http nor https")
    return proxy


def _unreachable(url: Url, error: Exception) -> ImportProblem:
    cause = error.__cause__ or error.__context__ or error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ImportProblem(
            f"the certificate of `{url.authority}` is not trusted: {cause.verify_message}",
            "name the file of your own authority in SSL_CERT_FILE, or import the document from a file",
        )
    if isinstance(cause, ssl.SSLError):
        return ImportProblem(f"`{url.authority}` does not speak TLS: {(cause.reason or 'failed').lower()}")
    if isinstance(cause, socket.gaierror):
        return ImportProblem(f"`{url.host}` has no address: {(cause.strerror or 'unknown').lower()}")
    if isinstance(error, httpcore.ConnectTimeout):
        return ImportProblem(f"`{url.authority}` did not answer in time")
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
    return ImportProblem(f"can't connect to `{url.authority}`: {reason.lower()}")


def _refused(url: str, status: int) -> ImportProblem:
    message = f"`{url}` answered with status {status}"
    if status in (401, 403, 407):
        return ImportProblem(
            message, "fetch the document with a program that has the credentials, and import the file"
        )
    return ImportProblem(message, "check the URL" if status in (404, 410) else None)


def _is_page(kind: str, data: bytes | bytearray) -> bool:
    start = bytes(data[:512]).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        kind.lower().startswith("text/html") and start.startswith(b"<")
    )
