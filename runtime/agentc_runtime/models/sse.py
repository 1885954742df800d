"""Server-sent events out of a response body: bounded, strictly UTF-8, and read by `httpx_sse`."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final, TypeVar

import httpx
import httpx_sse
import msgspec

from .types import ModelError

#: Bytes of one line. A line is one event of the provider, and the largest hold a whole answer.
MAX_LINE: Final = 4 * 1024 * 1024
#: Bytes of one stream.
MAX_STREAM: Final = 32 * 1024 * 1024

T = TypeVar("T")


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[tuple[str, str]]:
    """The (event, data) pairs in `chunks`, without events that carry no data. An unnamed event is `message`.

    Raises:
        ModelError: a line beyond `MAX_LINE`, a body beyond `MAX_STREAM`, or bytes that are not UTF-8.
    """
    # The library reads events from its own response type only.
    body = httpx.Response(
        200, headers={"content-type": "text/event-stream; charset=utf-8"}, stream=_Bounded(chunks)
    )
    async with aclosing(httpx_sse.EventSource(body).aiter_sse()) as source:
        async for event in source:
            if event.data:
                yield event.event, event.data


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


class _Bounded(httpx.AsyncByteStream):
    """The chunks as they are, until they are too much."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        utf8 = codecs.getincrementaldecoder("utf-8")()
        total = line = 0
        async for chunk in self._chunks:
            total += len(chunk)
            first, *others = chunk.replace(b"\r", b"\n").split(b"\n")
            longest = max(line + len(first), *map(len, others), 0)
            line = len(others[-1]) if others else line + len(first)
            if longest > MAX_LINE:
                raise ModelError(f"provider sent a line of more than {MAX_LINE} bytes")
            if total > MAX_STREAM:
                raise ModelError(f"provider sent more than {MAX_STREAM} bytes")
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError as error:
                raise ModelError("provider sent bytes that are not UTF-8") from error
            yield chunk


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
