"""Where connections may go: names are resolved here, each address is checked, and only those are used.

The check and the connection use the same address, so a name that resolves differently the second time
(DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from .connection import Connection
from .environments import Environment
from .refusals import Refusal
from .wire import UnsentError

#: Not on the public internet, by the IANA special-purpose registries.
_PRIVATE_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
    )
)
#: Not one host anywhere, so not reachable for private hosts either.
_NOWHERE_4: Final = tuple(IPv4Network(text) for text in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"))
_GLOBAL_6: Final = IPv6Network("2000::/3")
_PRIVATE_6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NOWHERE_6: Final = (IPv6Network("::/128"), IPv6Network("ff00::/8"))
#: IPv4 inside IPv6, in the last 32 bits: judged by the address inside.
_EMBEDDED: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
#: Seconds for one of several addresses before the next is tried.
_PER_ADDRESS: Final = 5.0


def kind_of(address: str) -> str:
    """`public`, `private` (also loopback, link-local, reserved) or `nowhere` (unspecified, multicast).

    Raises:
        ValueError: `address` is not an IP address.
    """
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        for network in _EMBEDDED:
            if parsed in network:
                parsed = IPv4Address(int(parsed) & 0xFFFFFFFF)
                break
    if isinstance(parsed, IPv4Address):
        if any(parsed in network for network in _NOWHERE_4):
            return "nowhere"
        return "private" if any(parsed in network for network in _PRIVATE_4) else "public"
    if any(parsed in network for network in _NOWHERE_6):
        return "nowhere"
    inside = parsed in _GLOBAL_6 and not any(parsed in network for network in _PRIVATE_6)
    return "public" if inside else "private"


class CheckedNetwork:
    """Opens TCP connections to checked addresses only; there is no other way out."""

    def __init__(self, environment: Environment) -> None:
        self._private = frozenset(host.lower() for host in environment.private_hosts)

    async def connect(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Connection:
        """Connect to the first address of `host` that answers, and speak TLS with it where there is `tls`.

        Raises:
            UnsentError: AR302 one of the addresses is not allowed, AR406 the name has no address.
            OSError: no address answered, or the last that did is not who it should be.
        """
        addresses = await self._resolve(host, port)
        for address in addresses:
            self._check(host, port, address)
        *others, last = addresses
        for address in others:
            try:
                async with asyncio.timeout(_PER_ADDRESS):
                    return await self._open(host, port, address, tls)
            except OSError:  # a TimeoutError is one
                continue
        return await self._open(host, port, last, tls)

    async def _open(self, host: str, port: int, address: str, tls: ssl.SSLContext | None) -> Connection:
        name = None if tls is None else host
        # a name would be looked up again, so what is given is a number and nothing else
        _, made = await asyncio.get_running_loop().create_connection(
            Connection, address, port, ssl=tls, server_hostname=name, flags=socket.AI_NUMERICHOST
        )
        return made

    async def _resolve(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnsentError(
                Refusal(code="AR406", message=f"`{host}` has no address", value=host)
            ) from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def _check(self, host: str, port: int, address: str) -> None:
        kind = kind_of(address)
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if kind == "public" or (kind == "private" and name in self._private):
            return
        message = f"`{name}` resolves to `{address}`, " + (
            "which is not on the public internet, and is not in `private_hosts`"
            if kind == "private"
            else "which is not the address of one host"
        )
        raise UnsentError(Refusal(code="AR302", message=message, value=address))
