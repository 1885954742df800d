"""Servers that misbehave: each ends in a refusal, within its bounds of time and memory."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import tracemalloc
import zlib

import msgspec
import pytest

from agentc_runtime.calls import Returned
from agentc_runtime.decoding import Decoder
from agentc_runtime.egress import CheckedNetwork, kind_of
from agentc_runtime.environments import Environment
from agentc_runtime.refusals import RefusedError
from agentc_runtime.transport import HttpTransport
from agentc_runtime.urls import UrlError, parse_url
from agentc_runtime.wire import HttpRequest, UnsentError

MIB = 1_048_576


async def drained(writer, data=b""):
    writer.write(data)
    await writer.drain()


async def test_two_gigabytes_stop_at_the_bound(world):
    sent = 0

    async def flood(_, writer):
        nonlocal sent
        await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        for _ in range(2048):
            await drained(writer, b" " * MIB)
            sent += 1

    world.server.answer = flood
    tracemalloc.start()
    outcome = await world.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.code == "AR401"
    assert outcome.at.line == 8
    assert sent < 64
    assert peak < 32 * MIB


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_does_not_expand(world, kit, coding):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    bomb = b"".join(squeeze.compress(b" " * MIB) for _ in range(200)) + squeeze.flush()
    assert len(bomb) < MIB
    world.server.answer = kit.ok(bomb, extra=f"content-encoding: {coding}\r\n")
    tracemalloc.start()
    outcome = await world.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.code == "AR401"
    assert peak < 16 * MIB


async def test_compressed_answers_are_read(world, kit):
    body = b'{"id": "t1", "body": "' + b"x" * 200_000 + b'"}'
    for coding, data in [("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))]:
        world.server.answer = kit.ok(data, extra=f"content-encoding: {coding}\r\n")
        outcome = await world.read()
        assert isinstance(outcome, Returned), outcome
        assert len(outcome.value["body"]) == 200_000
    assert world.server.seen[0].headers["accept-encoding"] == "gzip, deflate"
    two = gzip.compress(b'{"id"') + gzip.compress(b': "t1"}')
    world.server.answer = kit.ok(two, extra="content-encoding: gzip\r\n")
    assert (await world.read()).value == {"id": "t1"}


@pytest.mark.parametrize(
    ("coding", "data", "code"),
    [
        ("gzip", b"not gzip", "AR406"),
        ("gzip", gzip.compress(b'{"id": "t1"}', mtime=0)[:-9], "AR406"),
        ("br", b"x", "AR402"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "AR402"),
    ],
)
async def test_broken_compression(world, kit, coding, data, code):
    world.server.answer = kit.ok(data, extra=f"content-encoding: {coding}\r\n")
    assert (await world.read()).code == code


def test_empty_gzip_members_are_counted_too():
    decoder = Decoder("gzip", 1000)
    with pytest.raises(RefusedError, match="AR401"):
        list(itertools.chain.from_iterable(decoder.feed(gzip.compress(b"")) for _ in range(100_000)))


async def hang(_, writer):
    await asyncio.Event().wait()


async def hang_in_body(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")
    await asyncio.Event().wait()


async def dribble_head(_, writer):
    await drained(writer, b"HTTP/1.1 200 ")
    while True:
        await drained(writer, b"O")
        await asyncio.sleep(0.02)


async def dribble_headers(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\n")
    while True:
        await drained(writer, b"a: b\r\n")
        await asyncio.sleep(0.02)


async def dribble_body(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n")
    while True:
        await drained(writer, b" ")
        await asyncio.sleep(0.02)


async def endless_continue(_, writer):
    while True:
        await drained(writer, b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "answer", [hang, hang_in_body, dribble_head, dribble_headers, dribble_body, endless_continue]
)
async def test_one_deadline_over_everything(world, answer):
    world.server.answer = answer
    world.build(read={"timeout_ms": 150})
    outcome = await asyncio.wait_for(world.read(), 10)
    assert outcome.code == "AR405"
    assert outcome.value == 150


async def reset(_, writer):
    writer.transport.abort()


async def reset_in_body(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nab")
    writer.transport.abort()


async def short_body(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nab")


async def garbage(_, writer):
    await drained(writer, b"\x16\x03\x01 SSH-2.0 what\r\n\r\n")


async def http2(_, writer):
    await drained(writer, b"HTTP/2 200\r\n\r\n")


async def huge_header(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\nx: " + b"a" * 4 * MIB)


async def many_headers(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500_000)


async def two_lengths(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x")


async def bad_chunk(_, writer):
    await drained(writer, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}")


@pytest.mark.parametrize(
    "answer",
    [reset, reset_in_body, short_body, garbage, http2, huge_header, many_headers, two_lengths, bad_chunk],
)
async def test_broken_servers(world, answer):
    world.server.answer = answer
    outcome = await asyncio.wait_for(world.read(), 10)
    assert outcome.code == "AR406"
    assert outcome.message.isprintable()
    assert "SSH" not in outcome.message


async def test_nobody_listens(world):
    world.build(
        environment={"variables": {"HELPDESK_URL": "http://127.0.0.1:1"}, "private_hosts": ("127.0.0.1:1",)}
    )
    assert (await world.read()).code == "AR406"


async def test_a_name_without_address(world):
    world.build(environment={"variables": {"HELPDESK_URL": "http://no-such-host.invalid"}})
    assert (await world.read()).code == "AR406"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
async def test_redirects_are_not_followed(world, kit, status):
    port = world.server.port
    for location in (f"http://localhost:{port}/v1/steal", "/v1/steal", "https://evil.example/"):
        world.server.answer = kit.status(status, extra=f"location: {location}\r\n")
        outcome = await world.read()
        assert outcome.code == "AR303"
        assert outcome.value["untrusted_location"] == location
        assert "evil" not in str(outcome.as_data())
    assert [seen.target for seen in world.server.seen] == ["/v1/tickets/t1"] * 3


@pytest.fixture
async def transport(server):
    made = HttpTransport(Environment(private_hosts=(f"127.0.0.1:{server.port}",)))
    yield made
    await made.close()


def request(server, **changes):
    base = HttpRequest(
        method="GET",
        url=f"http://127.0.0.1:{server.port}/",
        headers={},
        body=None,
        origin=f"http://127.0.0.1:{server.port}",
        timeout_ms=5_000,
        max_response_bytes=1000,
    )
    return msgspec.structs.replace(base, **changes)


async def test_the_target_is_sent_as_it_is(server, transport):
    for target in ("/a/../b", "/a/./b", "/%2e%2E/x", "/a//b?x=[1]&y='\"|", "/A%2fb;c"):
        async with transport.send(request(server, url=f"http://127.0.0.1:{server.port}{target}")) as answer:
            assert answer.status == 200
            assert b"".join([piece async for piece in answer.chunks()]) == b'{"id": "t1"}'
        assert server.seen[-1].target == target


async def test_one_origin(server, transport):
    for url in (
        f"https://127.0.0.1:{server.port}/",
        f"http://localhost:{server.port}/",
        f"http://127.0.0.1:{server.port + 1}/",
        f"http://127.0.0.1:{server.port}@localhost/",
        "http://evil.example/",
    ):
        with pytest.raises(UnsentError, match="AR301"):
            async with transport.send(request(server, url=url)):
                pass
    assert server.seen == []


async def test_proxies_of_the_process_are_not_used(server, transport, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with transport.send(request(server)) as answer:
        assert answer.status == 200


async def test_connections_are_reused_and_bodies_left_unread_do_not_leak(server, transport):
    for _ in range(5):
        async with transport.send(request(server)) as answer:
            assert answer.headers["content-type"] == "application/json"
    async with transport.send(request(server)) as answer:
        assert b"".join([piece async for piece in answer.chunks()])


async def test_many_at_once(server, transport):
    async def one():
        async with transport.send(request(server)) as answer:
            return b"".join([piece async for piece in answer.chunks()])

    assert set(await asyncio.gather(*(one() for _ in range(150)))) == {b'{"id": "t1"}'}


PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "2606:4700::1111",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.9",
    "192.88.99.1",
    "::1",
    "::7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
    "100::1",
]
NOWHERE = ["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "ff02::1"]


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (kind, a)
        for kind, found in [("public", PUBLIC), ("private", PRIVATE), ("nowhere", NOWHERE)]
        for a in found
    ],
)
def test_kinds_of_addresses(kind, address):
    # the NAT64 and mapped forms of nowhere are nowhere, of private private
    assert kind_of(address) == kind


async def test_one_private_address_among_several_refuses(monkeypatch):
    """A real resolver can't be made to give such an answer, so the loop's is replaced."""
    loop = asyncio.get_running_loop()

    async def answers(*_, **__):
        return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(loop, "getaddrinfo", answers)
    with pytest.raises(UnsentError, match="AR302"):
        await CheckedNetwork(Environment()).connect("rebind.example", 80)


async def test_the_checked_address_is_the_one_that_is_used(server, monkeypatch):
    """DNS rebinding: a name is resolved once for each connection, and never again by a lower layer."""
    loop = asyncio.get_running_loop()
    asked = []

    async def answers(host, port, **_):
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.9.9.9", port))]

    monkeypatch.setattr(loop, "getaddrinfo", answers)
    network = CheckedNetwork(Environment(private_hosts=(f"rebind.example:{server.port}",)))
    connection = await network.connect("rebind.example", server.port)
    connection.close()
    assert asked.count("rebind.example") == 1


def test_urls_have_one_reading():
    url = parse_url("https://Example.COM/a?b=c")
    assert (url.host, url.port, url.target, url.origin) == (
        "example.com",
        443,
        "/a?b=c",
        "https://example.com:443",
    )
    assert parse_url("http://[::0:1]:80/").authority == "[::1]"
    assert parse_url("http://[::1]:81").origin == "http://[::1]:81"
    for bad in (
        "http://1.2.3.4.5/",
        "http://0x7f000001/",
        "http://a..b/",
        "http://-a/",
        "http://a b/",
        "HTTP://a/",
        "http://[::1/",
    ):
        with pytest.raises(UrlError):
            parse_url(bad)
