"""Connections that are kept between exchanges, each for one origin and one trust."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from typing import Final

from .connection import Connection
from .egress import CheckedNetwork
from .urls import Url

#: Connections that one pool has in use at a time; and, beside them, that it keeps for later.
MAX_CONNECTIONS: Final = 100
#: Seconds that an idle connection is kept.
IDLE_SECONDS: Final = 5.0

_Place = tuple[str, int]


class Pool:
    """Connections on one trust: with `tls`, or in the clear."""

    def __init__(self, network: CheckedNetwork, tls: ssl.SSLContext | None) -> None:
        self._network = network
        self._tls = tls
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: dict[_Place, deque[tuple[Connection, float]]] = {}
        self._idle_count = 0

    async def idle(self, url: Url) -> Connection | None:
        """A connection to the origin of `url`, if one is free now. This does not wait."""
        if self._places.locked():
            return None
        await self._places.acquire()
        found = self._kept((url.host, url.port))
        if found is None:
            self._places.release()
        return found

    async def take(self, url: Url) -> Connection:
        """A connection to the origin of `url`, as soon as one is free or may be opened.

        Raises:
            UnsentError: AR302, AR406; see `CheckedNetwork`.
            OSError: nobody answered.
        """
        await self._places.acquire()
        try:
            found = self._kept((url.host, url.port))
            return found or await self._network.connect(url.host, url.port, self._tls)
        except BaseException:
            self._places.release()
            raise

    def give(self, url: Url, connection: Connection) -> None:
        """Take back a connection after its exchange: it is kept if another may follow on it."""
        self._places.release()
        if not connection.reusable or self._idle_count >= MAX_CONNECTIONS:
            connection.close()
            return
        self._idle_count += 1
        self._idle.setdefault((url.host, url.port), deque()).append((connection, time.monotonic()))

    def close(self) -> None:
        """Close those that are kept."""
        for kept in self._idle.values():
            for connection, _ in kept:
                connection.close()
        self._idle.clear()
        self._idle_count = 0

    def _kept(self, place: _Place) -> Connection | None:
        kept = self._idle.get(place)
        while kept:
            connection, since = kept.pop()
            self._idle_count -= 1
            if time.monotonic() - since <= IDLE_SECONDS and connection.silent:
                return connection
            connection.close()
        self._drop_expired()
        return None

    def _drop_expired(self) -> None:
        """Also those to places where nobody sends to any more."""
        oldest = time.monotonic() - IDLE_SECONDS
        for place, kept in tuple(self._idle.items()):
            while kept and kept[0][1] < oldest:
                kept.popleft()[0].close()
                self._idle_count -= 1
            if not kept:
                del self._idle[place]
