"""One exchange and its connection: what is sent, when it is known to be, and whose bytes the answer is."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from agentc_runtime.environments import Environment
from agentc_runtime.pool import MAX_CONNECTIONS
from agentc_runtime.refusals import RefusedError
from agentc_runtime.transport import HttpTransport
from agentc_runtime.wire import HttpRequest, UnsentError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Script = Callable[[bytes, asyncio.StreamWriter, int], Awaitable[None]]


class Scripted:
    """A server that calls `script` with each request's head, its writer and the number of its connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.port = 0
        self.heads: list[bytes] = []
        self.connections = 0
        self._came = asyncio.Condition()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                async with self._came:
                    self.heads.append(head)
                    self._came.notify_all()
                await self.script(head, writer, number)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def has_seen(self, count: int) -> None:
        """Wait for so many requests."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.heads) >= count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def listening(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port of a server that calls `handle` for each connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError, ConnectionError):
            await handle(reader, writer)
        writer.transport.abort()
        tasks.discard(task)

    server = await asyncio.start_server(handled, "127.0.0.1", 0, backlog=512)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[tuple[Scripted, HttpTransport]]:
    made = Scripted(script)
    async with listening(made.handle) as made.port:
        transport = HttpTransport(Environment(private_hosts=(f"127.0.0.1:{made.port}",)))
        try:
            yield made, transport
        finally:
            await transport.close()


async def say_ok(_: bytes, writer: asyncio.StreamWriter, __: int) -> None:
    writer.write(OK)


def request(url: str, target: str = "/", **changes: object) -> HttpRequest:
    base = HttpRequest(
        method="GET",
        url=url + target,
        headers={},
        body=None,
        origin=url,
        timeout_ms=5_000,
        max_response_bytes=100_000,
    )
    return msgspec.structs.replace(base, **changes)


async def exchanged(transport: HttpTransport, asked: HttpRequest) -> bytes:
    async with transport.send(asked) as answer:
        return b"".join([piece async for piece in answer.chunks()])


# --- whose bytes an answer is --------------------------------------------------------------------------

LATE = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"


@pytest.mark.parametrize("together", [True, False], ids=["with the answer", "after it"])
async def test_what_nobody_asked_for_answers_no_later_request(together):
    async def script(head, writer, number):
        if number > 1:
            writer.write(OK)
        elif together:
            writer.write(OK + LATE)
        else:
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(LATE)

    async with scripted(script) as (server, transport):
        assert await exchanged(transport, request(server.url, "/first")) == b"ok"
        await asyncio.sleep(0.1)
        assert await exchanged(transport, request(server.url, "/second")) == b"ok"
        assert server.connections == 2


async def test_bytes_that_the_loop_has_not_seen_yet_answer_no_later_request():
    """They lie in the socket when the next request is about to be written."""
    async with scripted(say_ok) as (server, transport):
        assert await exchanged(transport, request(server.url)) == b"ok"
        held: list[asyncio.StreamWriter] = []

        async def script(head, writer, number):
            writer.write(OK)
            held.append(writer)

        server.script = script
        assert await exchanged(transport, request(server.url)) == b"ok"
        raw = held[0].get_extra_info("socket")
        with socket.socket(fileno=os.dup(raw.fileno())) as side:
            side.send(LATE)
        assert await exchanged(transport, request(server.url, "/next")) == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2, 3\r\n\r\nokx",
        b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n content-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\na: b\rcontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\na: b\x00c\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"ICY 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokXX0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
    ids=lambda answer: answer.decode("latin-1")[:60].encode("unicode_escape").decode(),
)
async def test_an_answer_that_two_could_read_as_two_is_refused(answer):
    async def script(head, writer, number):
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with scripted(script) as (server, transport):
        with pytest.raises(RefusedError, match="AR406") as caught:
            await exchanged(transport, request(server.url))
        assert not isinstance(caught.value, UnsentError)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_end_with_their_headers(method, answer):
    async def script(head, writer, number):
        writer.write(answer)

    async with scripted(script) as (server, transport):
        for _ in range(2):
            async with transport.send(request(server.url, method=method)) as given:
                assert "link" not in given.headers
                assert [piece async for piece in given.chunks()] == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nx-trailer: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200\r\nContent-Length:2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ],
)
async def test_each_way_to_end_a_body(answer):
    async def script(head, writer, number):
        for at in range(len(answer)):
            writer.write(answer[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        if b"ength" not in answer and b"chunked" not in answer:
            writer.close()

    async with scripted(script) as (server, transport):
        for _ in range(2):
            async with transport.send(request(server.url)) as given:
                assert given.status == 200
                assert "x-trailer" not in given.headers
                assert b"".join([piece async for piece in given.chunks()]) == b"ok"
                assert "x-trailer" not in given.headers


async def test_headers_that_repeat_are_joined_and_names_are_lower_case():
    async def script(head, writer, number):
        writer.write(
            b"HTTP/1.1 200 OK\r\nX-A:  1 \r\nx-a: \xe9\r\nSet-Cookie: a=b\r\ncontent-length: 0\r\n\r\n"
        )

    async with scripted(script) as (server, transport):
        for _ in range(2):
            async with transport.send(request(server.url)) as given:
                assert given.headers["x-a"] == "1, é"
        assert not any(b"ookie" in head for head in server.heads)


# --- what is sent --------------------------------------------------------------------------------------


async def test_a_request_byte_for_byte():
    async with scripted(say_ok) as (server, transport):
        headers = {
            "accept": "text/plain",
            "x-é".encode().decode("ascii", "ignore") + "name": "é ~",
            "te": "a",
        }
        await exchanged(transport, request(server.url, "/a//..;b/%2F%2e?", headers=headers))
        host = server.url.removeprefix("http://")
        expected = (
            f"GET /a//..;b/%2F%2e? HTTP/1.1\r\nhost: {host}\r\naccept: text/plain\r\nx-name: é ~\r\nte: a\r\n"
        )
        assert server.heads[0].startswith(expected.encode("latin-1"))
        rest = server.heads[0].decode("latin-1").removeprefix(expected).split("\r\n")
        assert [line.split(":")[0] for line in rest] == ["user-agent", "accept-encoding", "", ""]
        await exchanged(transport, request(server.url, method="DELETE", headers={"user-agent": "x"}))
        assert b"content-length" not in server.heads[1]
        assert server.heads[1].count(b"user-agent") == 1
        await exchanged(transport, request(server.url, method="PUT"))
        assert b"content-length: 0\r\n" in server.heads[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"x": "a\r\nX-Evil: 1"}},
        {"headers": {"x": "a\nb"}},
        {"headers": {"x": "a\rb"}},
        {"headers": {"x": "a\x00b"}},
        {"headers": {"x": " a"}},
        {"headers": {"x": "a "}},
        {"headers": {"x\r\ny": "a"}},
        {"headers": {"x y": "a"}},
        {"headers": {"x:": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"host": "evil.example"}},
        {"headers": {"content-length": "7"}},
        {"headers": {"transfer-encoding": "chunked"}},
        {"method": "GET / HTTP/1.1\r\nx"},
        {"method": ""},
        {"method": "CONNECT"},
    ],
    ids=str,
)
async def test_a_request_that_would_be_read_as_another_is_not_sent(changes):
    async with scripted(say_ok) as (server, transport):
        with pytest.raises(UnsentError, match="AR406"):
            await exchanged(transport, request(server.url, **changes))
        assert server.heads == []


async def test_credentials_of_the_machine_are_not_used(tmp_path, monkeypatch):
    async with scripted(say_ok) as (server, transport):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("HOME", str(tmp_path))
        await exchanged(transport, request(server.url))
        assert b"uthorization" not in server.heads[0]


# --- nothing is sent twice, and what was sent is known --------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH"])
async def test_a_request_that_broke_off_is_not_sent_again(method):
    """On a connection that has served before: where other clients send once more."""

    async def script(head, writer, number):
        if len(server.heads) == 1:
            writer.write(OK)
        else:
            writer.transport.abort()

    async with scripted(script) as (server, transport):
        await exchanged(transport, request(server.url))
        with pytest.raises(RefusedError, match="AR406") as caught:
            await exchanged(transport, request(server.url, method=method, body=b"{}"))
        assert not isinstance(caught.value, UnsentError)
        await asyncio.sleep(0.05)
        assert len(server.heads) == 2
        assert server.connections == 1


async def test_a_connection_that_the_server_has_closed_is_not_used():
    async def script(head, writer, number):
        writer.write(OK)
        await writer.drain()
        if number < 3:
            writer.close()

    async with scripted(script) as (server, transport):
        for _ in range(5):
            assert await exchanged(transport, request(server.url, method="POST", body=b"{}")) == b"ok"
            await asyncio.sleep(0.02)
        assert server.connections == 3


async def no_tls(reader, writer):
    await reader.read(100)
    writer.write(OK)
    await writer.drain()


async def silent_tls(reader, writer):
    await reader.read()


async def forever(*_, **__):
    await asyncio.Event().wait()


async def unsent(url, code):
    transport = HttpTransport(Environment(private_hosts=(url.partition("://")[2],)))
    with pytest.raises(UnsentError, match=code):
        await exchanged(transport, request(url, timeout_ms=200))
    await transport.close()


async def test_what_fails_before_the_first_byte_is_unsent(monkeypatch):
    async with listening(no_tls) as port:
        await unsent(f"https://127.0.0.1:{port}", "AR406")
    await unsent(f"http://127.0.0.1:{port}", "AR406")
    async with listening(silent_tls) as port:
        await unsent(f"https://127.0.0.1:{port}", "AR405")
    await unsent("http://no-such-host.invalid:80", "AR406")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", forever)
    await unsent("http://slow.example:80", "AR405")


async def test_what_fails_after_it_is_not():
    async def script(head, writer, number):
        await asyncio.sleep(10)

    async with scripted(script) as (server, transport):
        for method in ("GET", "POST"):
            with pytest.raises(RefusedError, match="AR405") as caught:
                await exchanged(transport, request(server.url, method=method, timeout_ms=100))
            assert not isinstance(caught.value, UnsentError)
        assert len(server.heads) == 2


async def test_the_deadline_holds_while_others_have_all_connections():
    async def script(head, writer, number):
        await asyncio.sleep(10)

    async with scripted(script) as (server, transport):
        others = [
            asyncio.create_task(exchanged(transport, request(server.url))) for _ in range(MAX_CONNECTIONS)
        ]
        await server.has_seen(MAX_CONNECTIONS)
        with pytest.raises(UnsentError, match="AR405"):
            await exchanged(transport, request(server.url, timeout_ms=100))
        assert server.connections == MAX_CONNECTIONS
        others[0].cancel()
        server.script = say_ok
        assert await exchanged(transport, request(server.url)) == b"ok"
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@pytest.mark.parametrize("begun", [False, True], ids=["before the headers", "in the body"])
async def test_a_cancelled_exchange_closes_its_connection(begun):
    async def script(head, writer, number):
        if begun:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nab")
        await asyncio.Event().wait()

    async with scripted(script) as (server, transport):
        task = asyncio.create_task(exchanged(transport, request(server.url)))
        await server.has_seen(1)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.script = say_ok
        assert await exchanged(transport, request(server.url)) == b"ok"
        assert server.connections == 2


async def test_a_body_that_is_read_in_part_frees_its_connection_by_closing_it():
    async def script(head, writer, number):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n" + b"x" * 50_000)

    async with scripted(script) as (server, transport):
        for _ in range(3):
            async with transport.send(request(server.url)) as answer:
                async for _ in answer.chunks():
                    break
        assert await exchanged(transport, request(server.url)) == b"x" * 50_000


async def test_a_body_that_is_not_read_is_not_gathered_in_memory():
    sent = 0

    async def script(head, writer, number):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(200):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1

    async with (
        scripted(script) as (server, transport),
        transport.send(request(server.url)) as answer,
    ):
        await asyncio.sleep(0.3)
        assert sent < 32
        assert answer.status == 200


async def test_a_large_body_arrives_whole_while_the_server_reads_slowly():
    arrived = 0

    async def handle(reader, writer):
        nonlocal arrived
        await reader.readuntil(b"\r\n\r\n")
        while arrived < 5_000_000:
            arrived += len(await reader.read(65_536))
            await asyncio.sleep(0)
        writer.write(OK)
        await writer.drain()

    async with listening(handle) as port:
        url = f"http://127.0.0.1:{port}"
        transport = HttpTransport(Environment(private_hosts=(f"127.0.0.1:{port}",)))
        assert await exchanged(transport, request(url, method="POST", body=b"x" * 5_000_000)) == b"ok"
        assert arrived == 5_000_000
        await transport.close()
