"""Server-sent events out of a response body: bounded, and strictly UTF-8.

By the standard's "Interpreting an event stream" (https://html.spec.whatwg.org/multipage/server-sent-events.html),
of which `id` and `retry` mean nothing here: a turn's stream is never taken up again.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from .types import ModelError

#: Bytes of one line. A line is one event of the provider, and the largest hold a whole answer.
MAX_LINE: Final = 4 * 1024 * 1024
#: Bytes of one stream.
MAX_STREAM: Final = 32 * 1024 * 1024

T = TypeVar("T")


class EventDecoder:
    """Takes the bytes of one stream as they come, and gives the events that they complete."""

    def __init__(self) -> None:
        self._total = 0
        #: The line that has not ended, in pieces: joined once, however many there are.
        self._line: list[bytes] = []
        self._line_size = 0
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[tuple[str, str]]:
        """The (event, data) pairs that end in the next bytes, without events that carry no data.

        An unnamed event is `message`.

        Raises:
            ModelError: a line beyond `MAX_LINE`, a body beyond `MAX_STREAM`, or bytes that are not UTF-8.
        """
        self._total += len(chunk)
        if self._total > MAX_STREAM:
            raise ModelError(f"provider sent more than {MAX_STREAM} bytes")
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n")
        if end < 0:
            self._begun(chunk)
            return []
        ended = chunk[:end]
        if self._line:
            ended = b"".join((*self._line, ended))
            self._line, self._line_size = [], 0
        if len(ended) > MAX_LINE:
            for line in ended.split(b"\n"):
                _check(len(line))
        if end + 1 < len(chunk):
            self._begun(chunk[end + 1 :])
        try:
            text = ended.decode()
        except UnicodeDecodeError as error:
            raise ModelError("provider sent bytes that are not UTF-8") from error
        if self._at_start:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        return self._read(text.split("\n"))

    def _begun(self, piece: bytes) -> None:
        self._line.append(piece)
        self._line_size += len(piece)
        _check(self._line_size)

    def _read(self, lines: list[str]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        name, data = self._name, self._data
        for line in lines:
            if line.startswith("data: "):  # what most lines are
                data.append(line[6:])
            elif not line:
                if told := data[0] if len(data) == 1 else "\n".join(data):
                    found.append((name or "message", told))
                name, data = "", []
            else:
                field, _, value = line.partition(":")
                if field == "data":
                    data.append(value.removeprefix(" "))
                elif field == "event":
                    name = value.removeprefix(" ")
        self._name, self._data = name, data
        return found


def read(decoder: msgspec.json.Decoder[T], data: str) -> T:
    """The value in an event's data.

    Raises:
        ModelError: not JSON, or not the shape that the provider documents.
    """
    try:
        return decoder.decode(data)
    except RecursionError as error:
        raise ModelError("provider sent JSON that is nested too deep") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ModelError(f"provider sent an event that can't be read: {_lower(str(error))}") from error


def _check(size: int) -> None:
    if size > MAX_LINE:
        raise ModelError(f"provider sent a line of more than {MAX_LINE} bytes")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
