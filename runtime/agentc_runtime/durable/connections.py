"""Connections that outlive a run: runs of one bundle in one environment share a transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from ..environments import Environment
from ..secrets import Secrets
from ..transport import HttpTransport

#: Seconds for which new runs join a transport. Then they get a new one, which resolves names and reads
#: certificates anew.
JOIN: Final = 30.0
#: A transport belongs to the event loop in which it is used.
_Key: TypeAlias = tuple[asyncio.AbstractEventLoop, str, str]


class _Shared:
    def __init__(self, transport: HttpTransport) -> None:
        self.transport = transport
        self.users = 0
        self.retired = False


class Connections:
    """The transports of a process. Without `sharing` each run has its own, closed when the run ends."""

    def __init__(self, *, sharing: bool) -> None:
        self._sharing = sharing
        self._open: dict[_Key, _Shared] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def of(
        self, digest: str, name: str, environment: Environment, secrets: Secrets
    ) -> AsyncIterator[HttpTransport]:
        """The transport of a run of the bundle `digest` in the environment `name`."""
        loop = asyncio.get_running_loop()
        key = (loop, digest, name)
        shared = self._open.get(key)
        if shared is None:
            shared = _Shared(HttpTransport(environment, secrets))
            if self._sharing:
                self._open[key] = shared
                loop.call_later(JOIN, self._retire, key, shared)
            else:
                shared.retired = True
        shared.users += 1
        try:
            yield shared.transport
        finally:
            shared.users -= 1
            if shared.retired and not shared.users:
                await shared.transport.close()

    async def close(self) -> None:
        """Close what runs of this event loop have used."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._open if key[0] is loop]:
            self._retire(key, self._open[key])
        await asyncio.gather(*(task for task in self._closing if task.get_loop() is loop))

    def _retire(self, key: _Key, shared: _Shared) -> None:
        if self._open.get(key) is shared:
            del self._open[key]
        if not shared.retired:
            shared.retired = True
            if not shared.users:
                task = key[0].create_task(shared.transport.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
