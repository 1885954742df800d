"""One connection, which carries one HTTP/1.1 exchange at a time, and nothing twice.

The parser is llhttp (Node's, by httptools) in its strict mode. What the parser leaves to who uses it is
decided here: where an answer without a length ends, which bytes belong to no exchange, and whether the next
exchange may come over the same connection.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from typing import Final, cast

import httptools

#: Bytes of an answer's status line and headers, and how many headers.
MAX_HEAD_BYTES: Final = 102_400
MAX_HEADERS: Final = 1_000
#: Bytes of an answer that wait here for their reader before no more are taken from the socket.
_MAX_WAITING: Final = 65_536
_NO_BODY: Final = frozenset({204, 304})
_VERSIONS: Final = frozenset({"1.0", "1.1"})


class BrokenError(Exception):
    """The connection ended too early, or what came over it was not HTTP/1.1."""


class LateError(Exception):
    """The deadline has passed."""


class Connection(asyncio.Protocol):
    """Opened by a loop; then `ask`, and `read` until None; then free again if `reusable`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        #: A request was written, and its answer has not come to its end.
        self._asked = False
        self._closed = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._begin(body_follows=True)

    def _begin(self, *, body_follows: bool) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._body_follows = body_follows
        self._head_bytes = 0
        self._header_count = 0
        self._headed = False
        #: The answer is here to its last byte.
        self.complete = False
        self._ends_with_the_connection = False
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False

    # --- what the exchange does -----------------------------------------------------------------------

    def ask(self, request: bytes, deadline: float, *, body_follows: bool) -> None:
        """Write a request. The exchange ends at `deadline` by the loop's clock, if it has not ended before.

        `body_follows`: an answer may have a body.

        Raises:
            BrokenError: nothing was written, and nothing will be.
        """
        transport = self._transport
        if self._closed or transport is None or transport.is_closing():
            raise BrokenError("the connection was closed")
        self._begin(body_follows=body_follows)
        self._asked = True
        self._deadline = deadline
        if self._timer is None or self._timer.when() > deadline:
            self._set_timer()
        transport.write(request)

    async def answered(self) -> None:
        """Wait for `status` and `headers`.

        Raises:
            BrokenError: they will not come.
            LateError: the deadline has passed.
        """
        while not self._headed:
            await self._wait()

    async def read(self) -> bytes | None:
        """The next bytes of the body, or None after the last.

        Raises:
            BrokenError: the rest will not come.
            LateError: the deadline has passed.
        """
        while not self._pieces:
            if self.complete:
                return None
            await self._wait()
        data = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow: this one is whole, and nothing came that belongs to none."""
        transport = self._transport
        return (
            self.complete
            and not self._closed
            and transport is not None
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0
        )

    @property
    def silent(self) -> bool:
        """Whether a connection that was free still is: what comes unasked would be taken for an answer."""
        if self._transport is None or not self.reusable:
            return False
        handle = self._transport.get_extra_info("socket").fileno()
        if not hasattr(select, "poll"):  # Windows
            return not select.select([handle], [], [], 0)[0]
        unread = select.poll()
        unread.register(handle, select.POLLIN)
        return not unread.poll(0)

    def close(self) -> None:
        """End it now: what is not written yet never will be."""
        self._closed = True
        self._drop_timer()
        if self._transport is not None:
            self._transport.abort()

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._drop_timer()
        self._timer = self._loop.call_at(self._deadline, self._on_time)

    def _on_time(self) -> None:
        """The timer may be that of an exchange before this one: setting one for each would cost more."""
        self._timer = None
        if not self._asked:
            return
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            self._fail(LateError())

    # --- what the loop tells ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the answer. Those that no exchange has asked for end the connection."""
        if not self._asked or self._closed:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._closed = True
            if not self.complete:
                cause = error.__context__
                self._fail(cause if isinstance(cause, BrokenError) else BrokenError(str(error)))
            return
        if not self._headed:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(BrokenError("the headers have no end"))
        elif self._waiting > _MAX_WAITING and not self.complete and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The server writes no more; nor do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, which is that of an answer without a length too, if it was not broken off."""
        self._closed = True
        self._drop_timer()
        if self.complete or not self._asked:
            return
        if self._ends_with_the_connection and exc is None:
            self._finish()
        else:
            self._fail(BrokenError("the connection ended early" if exc is None else str(exc)))

    # --- what the parser tells -------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a message; there is one after 1xx, and none after an answer."""
        if self.complete:
            raise BrokenError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer, which nobody reads."""
        if self._headed:
            return
        self._header_count += 1
        if self._header_count > MAX_HEADERS:
            raise BrokenError("the headers have no end")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """What the headers say about where the answer ends has one reading, or is refused."""
        status = self._parser.get_status_code()
        if not 100 <= status <= 999 or status == 101:
            raise BrokenError(f"status {status}")
        version = self._parser.get_http_version()
        if version not in _VERSIONS:
            raise BrokenError("another version of HTTP")
        if status < 200:
            return
        coding = self.headers.get("transfer-encoding")
        if coding is not None and (
            coding.lower() != "chunked" or "content-length" in self.headers or version == "1.0"
        ):
            raise BrokenError("the answer's length has two readings")
        self.status = status
        self._headed = True
        if not self._body_follows and status not in _NO_BODY:
            # the parser was not told that the request was HEAD
            self._closed = True
            self._finish()
            return
        self._ends_with_the_connection = coding is None and "content-length" not in self.headers
        self._wake()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self.complete:
            self._pieces.append(body)
            self._waiting += len(body)
            self._wake()

    def on_message_complete(self) -> None:
        """The last byte: of what came before the answer, or of the answer."""
        if not self._headed:
            self.headers = {}
            self._head_bytes = self._header_count = 0
            return
        if not self.complete:
            if not self._parser.should_keep_alive():
                self._closed = True
            self._finish()

    # --- the exchange's end ----------------------------------------------------------------------------

    def _finish(self) -> None:
        self.complete = True
        self._asked = False
        self._wake()

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        if self._error is None:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._error is not None:
            raise self._error
