"""Record HTTP exchanges to a file, and answer from it later: the same run again, without the network.

A request is found again by its method, path, query and body. The host is left out, so that another
environment can replay, and so are credentials: they are never stored. Secrets are taken out of bodies.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from .recorded import CassetteError, Record, RecordedRequest, Redact, difference, likeness, recorded
from .wire import HttpRequest, HttpResponse, Transport

FORMAT: Final = "agentc.cassette/1"
#: Bytes of a cassette file.
MAX_FILE: Final = 256 * 1024 * 1024
#: Response headers that are kept: the only ones that the runtime reads.
_KEPT: Final = ("content-type", "retry-after")
_AGAIN: Final = "record again with `--record`"


def _unchanged(text: str) -> str:
    return text


class RecordedResponse(Record, frozen=True, kw_only=True):
    """What came back: `body` as lines of text, or as one base64 string when it was not UTF-8."""

    status: int
    headers: dict[str, str]
    body: tuple[str, ...] | str

    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, str):
            return base64.b64decode(self.body, validate=True)
        return "\n".join(self.body).encode()


class Entry(Record, frozen=True, kw_only=True):
    """One exchange."""

    request: RecordedRequest
    response: RecordedResponse


class Cassette(Record, frozen=True, kw_only=True):
    """Exchanges in the order in which they began to be answered."""

    format: Literal["agentc.cassette/1"] = FORMAT
    entries: tuple[Entry, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Cassette:
        """Read a file that `save` wrote.

        Raises:
            CassetteError: it is missing, unreadable, too large, malformed, or of another version.
        """
        try:
            if path.stat().st_size > MAX_FILE:
                raise CassetteError(f"cassette `{path}` is larger than {MAX_FILE} bytes; {_AGAIN}")
            data = path.read_bytes()
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            raise CassetteError(f"cassette `{path}` can't be read: {reason}; {_AGAIN}") from error
        try:
            version = _VERSION.decode(data).format
            if version != FORMAT:
                raise CassetteError(
                    f"cassette `{path}` has the format `{version[:40]}`, not `{FORMAT}`; {_AGAIN}"
                )
            cassette = _CASSETTE.decode(data)
            for entry in cassette.entries:
                entry.response.content()
        except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
            raise CassetteError(f"cassette `{path}` is malformed: {error}; {_AGAIN}") from error
        return cassette

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all, so that a line's change in it is a line's change in a diff.

        Raises:
            CassetteError: the file can't be written.
        """
        text = json.dumps(msgspec.to_builtins(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            reason = (error.strerror or "not writable").lower()
            raise CassetteError(f"cassette `{path}` can't be written: {reason}") from error


class _Version(msgspec.Struct):
    format: str


_VERSION: Final = msgspec.json.Decoder(_Version)
_CASSETTE: Final = msgspec.json.Decoder(Cassette)


class RecordingTransport:
    """Passes requests on to `inner` and keeps each exchange. Its body is read to the end to be kept whole.

    `redact` takes the secrets out of text. An exchange that breaks before its answer begins is not kept.
    """

    replays = False

    def __init__(self, inner: Transport, redact: Redact) -> None:
        self._inner = inner
        self._redact = redact
        self._entries: list[Entry] = []

    @property
    def cassette(self) -> Cassette:
        """What was recorded so far."""
        return Cassette(entries=tuple(self._entries))

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[HttpResponse]:
        """Send through the inner transport. A private exchange is not kept."""
        async with self._inner.send(request) as answer:
            if request.private:
                yield answer
                return
            copied = _Copied(answer)
            try:
                yield copied
                await copied.drain()
            finally:
                # Also when the reader gave up: a replay then gives up at the same place.
                self._entries.append(self._entry(request, answer, copied.body()))

    async def close(self) -> None:
        """Close the inner transport."""
        await self._inner.close()

    def _entry(self, request: HttpRequest, answer: HttpResponse, body: bytes) -> Entry:
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        try:
            kept: tuple[str, ...] | str = tuple(self._redact(body.decode()).split("\n"))
        except UnicodeDecodeError:
            kept = base64.b64encode(body).decode()
        response = RecordedResponse(status=answer.status, headers=headers, body=kept)
        return Entry(request=recorded(request, self._redact), response=response)


class ReplayTransport:
    """Answers from a cassette, and never connects. Equal requests get their answers in recorded order."""

    replays = True

    def __init__(self, cassette: Cassette, redact: Redact = _unchanged) -> None:
        self._entries = cassette.entries
        self._redact = redact
        self._dropped = frozenset(name for entry in self._entries for name in entry.request.dropped)
        self._waiting: dict[str, deque[int]] = {}
        for index, entry in enumerate(self._entries):
            self._waiting.setdefault(entry.request.digest, deque()).append(index)
        self._requests = 0

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[HttpResponse]:
        """Give the recorded answer.

        Raises:
            CassetteError: the request is not on the cassette, or was answered as often as it was recorded.
        """
        self._requests += 1
        asked = recorded(request, self._redact, self._dropped)
        waiting = self._waiting.get(asked.digest)
        if not waiting:
            raise CassetteError(self._mismatch(asked))
        yield _Replayed(self._entries[waiting.popleft()].response)

    async def close(self) -> None:
        """Nothing is open."""

    def _mismatch(self, asked: RecordedRequest) -> str:
        said = f"request {self._requests} (`{asked.method} {asked.path}`) is not on the cassette"
        left = [queue[0] for queue in self._waiting.values() if queue]
        if not left:
            return f"{said}: all of its {len(self._entries)} answers are used up; {_AGAIN}"
        nearest = max(sorted(left), key=lambda index: likeness(self._entries[index].request, asked))
        path, then, now = difference(self._entries[nearest].request, asked)
        return f"{said}: `{path}` was {then} when it was recorded and is {now}; {_AGAIN}"


class _Copied:
    """An answer whose body is kept while it is read."""

    def __init__(self, answer: HttpResponse) -> None:
        self._answer = answer
        self._source: AsyncIterator[bytes] | None = None
        self._kept: list[bytes] = []

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        return self._answer.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in pieces as they arrive."""
        self._source = self._source or self._answer.chunks()
        async for chunk in self._source:
            self._kept.append(chunk)
            yield chunk

    async def drain(self) -> None:
        """Read what nobody has read."""
        async for _ in self.chunks():
            continue

    def body(self) -> bytes:
        """What was read."""
        return b"".join(self._kept)


class _Replayed:
    """An answer from a cassette."""

    def __init__(self, response: RecordedResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that were kept."""
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in one piece."""
        yield self._response.content()
