"""What every request has to pass before a route sees it: its size, and how often its caller calls."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import response

#: Callers whose requests are counted at a time; of more the one that called longest ago starts anew.
MAX_CALLERS: Final = 10_000
#: What follows on the connection is not read.
CLOSE: Final = {"connection": "close"}


class TooLargeError(HTTPException):
    """The body of a request has more bytes than are read."""

    def __init__(self, limit: int) -> None:
        detail = f"a request has {limit} bytes at most"
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, headers=dict(CLOSE))


class BodyLimit:
    """Refuses requests with more than `limit` bytes, by what they say and by what they send.

    And those whose end two servers may see in two places: the parser under us takes a body that has both a
    length and chunks, which RFC 9112 (section 6.1) lets a server refuse.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"content-length" in headers and b"transfer-encoding" in headers:
            twice = response(400, "a body has a length or chunks, not both", headers=CLOSE)
            await twice(scope, receive, send)
            return
        large = TooLargeError(self._limit)
        refused = response(large.status_code, large.detail, headers=CLOSE)
        # the server has refused what is no number
        if int(headers.get(b"content-length", b"0")) > self._limit:
            await _read_away(receive, self._limit)
            await refused(scope, receive, send)
            return
        read, begun = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                if message.get("more_body", False):
                    await _read_away(receive, self._limit)
                raise large
            return message

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noticed)
        except TooLargeError:
            if begun:
                raise
            await refused(scope, receive, send)


async def _read_away(receive: Receive, most: int) -> None:
    """Drop what is still sent, `most` bytes at most: a client that is cut off meanwhile sees no answer."""
    left = most
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


class Rate:
    """Counts requests by token buckets: a caller may save up a minute's worth."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count one request of `caller`: 0.0, or the seconds after which it may be made."""
        now = self._clock()
        left, then = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - then) * self._per_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / self._per_minute
        self._buckets[caller] = (left - 1 if wait == 0.0 else left, now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return wait
