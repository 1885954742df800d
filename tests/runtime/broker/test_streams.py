"""Answers without an end: an event stream gives what came within its bounds, anything else is refused."""

from __future__ import annotations

import asyncio
import zlib

import msgspec
import pytest

from agentc_runtime.bundle import ResponseCase
from agentc_runtime.calls import Returned
from agentc_runtime.decoding import Decoder
from agentc_runtime.refusals import RefusedError


@pytest.fixture
def streaming(world, kit):
    """Reads from a service that sends `pieces` as an event stream and never ends it."""

    async def run(pieces, content_type="text/event-stream; charset=utf-8", **changes):
        async def answer(_, writer):
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            await asyncio.sleep(5)

        world.server.answer = answer
        plan = msgspec.structs.replace(
            kit.read_tool().request,
            responses=(ResponseCase(status="200", content_type="text/event-stream"),),
        )
        world.build(read={"request": plan, **changes})
        return await world.read()

    return run


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
async def test_an_event_stream_is_read_up_to_its_bounds_and_in_whole_events(streaming, end):
    event = "data: é".encode() + end
    slow = await streaming([event, event, b"data: half"], timeout_ms=300)
    assert isinstance(slow, Returned), slow
    assert slow.value == (event * 2).decode()
    large = await streaming([event, event, b"data: " + b"x" * 200], max_response_bytes=100)
    assert isinstance(large, Returned), large
    assert large.value == (event * 2).decode()


async def test_other_streams_without_an_end_are_refused(streaming):
    assert (await streaming([b"data: no event yet"], timeout_ms=300)).code == "AR405"
    assert (await streaming([b"a\n\nb"], "text/plain", timeout_ms=300)).code == "AR405"


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("size", [99, 100, 101, 100_000])
def test_no_more_than_the_bound_comes_out_of_a_decoder(coding, size):
    data = zlib.compress(b"x" * size, wbits=31) if coding == "gzip" else b"x" * size
    decoder, given = Decoder(coding, 100), []

    def feed():
        for start in range(0, len(data), 30):
            for piece in decoder.feed(data[start : start + 30]):
                given.append(piece)
        decoder.finish()

    if size > 100:
        with pytest.raises(RefusedError, match="AR401"):
            feed()
    else:
        feed()
    assert len(b"".join(given)) == min(size, 100)
