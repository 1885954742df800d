"""URLs read without leniency: one spelling for each host, so that what is checked is what is connected to."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import msgspec

_URL: Final = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([1-9][0-9]{0,4}))?((?:/[!-~]*)?)", re.ASCII
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_BASE_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?")
_PORTS: Final = {"http": 80, "https": 443}


class UrlError(ValueError):
    """A URL that is not plainly one scheme, one host and one path."""


class Url(msgspec.Struct, frozen=True, kw_only=True):
    """A URL in its parts. `host` is lower case, without brackets; `target` is the path and query as sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The `Host` header: the port is left out when it is the scheme's own."""
        return _authority(self.scheme, self.host, self.port)

    @property
    def origin(self) -> str:
        """`scheme://host:port`, with the port always written."""
        return _origin(self.scheme, self.host, self.port)


@lru_cache(maxsize=256)
def _authority(scheme: str, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == _PORTS[scheme] else f"{host}:{port}"


@lru_cache(maxsize=256)
def _origin(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def parse_url(url: str) -> Url:
    """The parts of `url`.

    Raises:
        UrlError: user information, a fragment, another scheme, a character outside printable ASCII, a host
            that is a number in disguise (`2130706433`, `0x7f.1`), or an address in a second spelling.
    """
    match = _URL.fullmatch(url)
    if match is None or "#" in url or "\\" in url:
        raise UrlError("is not `http` or `https`, an exact host, a port and a path")
    scheme, host, port, target = match[1], match[2].lower(), match[3], match[4]
    number = _PORTS[scheme] if port is None else int(port)
    if number > 65535:
        raise UrlError(f"has no such port: {number}")
    return Url(scheme=scheme, host=_host(host), port=number, target=target or "/")


@lru_cache(maxsize=256)
def parse_base(url: str) -> Url:
    """The parts of a server's base URL; `target` is its path without a slash at the end.

    Raises:
        UrlError: as `parse_url`, and for a query, an empty segment, or a segment that moves (`.`, `..`).
    """
    parsed = parse_url(url)
    segments = parsed.target.lower().replace("%2e", ".").split("/")
    if not _BASE_PATH.fullmatch(parsed.target) or "." in segments or ".." in segments:
        raise UrlError("has a path that is not plain segments")
    return msgspec.structs.replace(parsed, target=parsed.target.rstrip("/"))


@lru_cache(maxsize=256)
def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError as error:
            raise UrlError("has a host that is not an IPv6 address") from error
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except AddressValueError as error:
            raise UrlError("has a host that is a number, but not four decimal ones") from error
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlError("has a host that is not a DNS name; write an international name as `xn--…`")
    return host
