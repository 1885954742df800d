"""A real server on loopback that keeps the bytes it gets, and a program whose tools call it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agentc_runtime.broker import Broker
from agentc_runtime.bundle import (
    AgentInfo,
    Approval,
    Body,
    Data,
    Grant,
    Limits,
    Param,
    PathPart,
    Position,
    Program,
    RequestPlan,
    ResponseCase,
    Tool,
)
from agentc_runtime.calls import ApprovalRequest, Call, Claim, Decision, Returned
from agentc_runtime.environments import Auth, Endpoint, Environment, Secret
from agentc_runtime.expressions import Const, Ref
from agentc_runtime.labels import Label
from agentc_runtime.origins import Origins
from agentc_runtime.refusals import Refusal
from agentc_runtime.secrets import Secrets
from agentc_runtime.sending import Clocks
from agentc_runtime.transport import HttpTransport
from agentc_runtime.workflow import AgentState, EndState, ToolState

SECRET = "s3cr3t-t0ken"


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes


def ok(body: bytes = b'{"id": "t1"}', content_type: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def status(code: int, body: bytes = b"{}", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {code} Said\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n{extra}\r\n".encode() + body


@dataclass
class Server:
    """Answers each request with `answer`: bytes, or a coroutine function that gets the writer."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: bytes | Callable[[Seen, asyncio.StreamWriter], Awaitable[None]] | list[bytes] = b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        exact = {line.split(":", 1)[0].lower(): line.split(": ", 1)[1] for line in lines if line}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.seen.append(Seen(method, target, exact, body, head + body))
        if callable(self.answer):
            await self.answer(self.seen[-1], writer)
            await writer.drain()
            return False
        answer = self.answer if isinstance(self.answer, bytes) else self.answer[len(self.seen) - 1]
        writer.write(answer)
        await writer.drain()
        return True


class Records:
    """A journal in memory, which counts as the real one must."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Mapping[str, object]]] = []
        self.claims: list[Claim] = []
        self.settled: list[tuple[str, Returned | Refusal]] = []
        self.broken: str | None = None

    def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
        self._check("record")
        self.kept.append((kind, payload))

    def claim(self, claim: Claim) -> str | None:
        self._check("claim")
        same = [other for other in self.claims if other.tool == claim.tool]
        if claim.per_run is not None and sum(o.run_id == claim.run_id for o in same) >= claim.per_run:
            return "per_run"
        if claim.per_day is not None and len(same) >= claim.per_day:
            return "per_day"
        self.claims.append(claim)
        return None

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        self._check("settle")
        self.settled.append((call_id, outcome))

    def _check(self, method: str) -> None:
        if self.broken == method:
            raise OSError("disk full")

    def text(self) -> str:
        return repr((self.kept, self.claims, self.settled))


class Person:
    """Somebody who answers each question the same way."""

    def __init__(self) -> None:
        self.asked: list[ApprovalRequest] = []
        self.decision = Decision(approved=True, by="alice")
        self.hangs = False

    async def ask(self, request: ApprovalRequest) -> Decision:
        self.asked.append(request)
        if self.hangs:
            await asyncio.Event().wait()
        return self.decision


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def clocks(self) -> Clocks:
        return Clocks(
            monotonic=lambda: self.at,
            sleep=self.sleep,
            jitter=lambda: 1.0,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )


STRING = {"type": "string"}
REFUND = {
    "type": "object",
    "properties": {"amount": {"type": "number"}, "currency": STRING, "customer_id": STRING},
    "required": ["amount", "customer_id"],
    "additionalProperties": False,
}
SCHEMAS: dict[str, Any] = {
    "refund": {**REFUND, "properties": {k: v for k, v in REFUND["properties"].items() if k != "customer_id"}},
}
SCHEMAS["refund"]["required"] = ["amount"]
READ = {
    "type": "object",
    "properties": {"ticket_id": STRING, "x_trace": STRING, "tags": {"type": "array", "items": STRING}},
    "required": ["ticket_id"],
    "additionalProperties": False,
}
TICKET = {"type": "object", "properties": {"id": STRING, "body": STRING}, "required": ["id"]}


def read_tool(**changes: Any) -> Tool:
    plan = RequestPlan(
        operation="getTicket",
        method="GET",
        endpoint=Endpoint(variable="HELPDESK_URL"),
        path=(
            (PathPart(literal="tickets"),),
            (PathPart(param=Param(argument="ticket_id", name="id", style="simple", required=True)),),
        ),
        query=(Param(argument="tags", name="tag"),),
        headers=(Param(argument="x_trace", name="X-Trace", style="simple"),),
        auth=(Auth(kind="bearer", secret="token"),),
        responses=(ResponseCase(status="200", content_type="application/json", schema=TICKET),),
    )
    tool = Tool(
        name="helpdesk.get_ticket",
        model_name="helpdesk_get_ticket",
        description="reads one",
        effect="read",
        arguments=READ,
        output=Label(trust="untrusted", sensitivity="confidential"),
        request=plan,
        timeout_ms=5_000,
    )
    return msgspec.structs.replace(tool, **changes)


def refund_tool(**changes: Any) -> Tool:
    plan = RequestPlan(
        operation="createRefund",
        method="POST",
        endpoint=Endpoint(variable="HELPDESK_URL"),
        path=((PathPart(literal="refunds"),),),
        body=Body(
            content_type="application/json",
            fields={"amount": "amount", "currency": "currency", "customer": "customer_id"},
        ),
        auth=(Auth(kind="header", secret="token", name="X-Api-Key"),),
        responses=(ResponseCase(status="2XX", content_type="application/json"),),
    )
    tool = Tool(
        name="helpdesk.refund",
        model_name="helpdesk_refund",
        description="pays money back",
        effect="send",
        arguments=REFUND,
        output=Label(trust="trusted", sensitivity="internal"),
        request=plan,
        timeout_ms=5_000,
    )
    return msgspec.structs.replace(tool, **changes)


def refund_grant(**changes: Any) -> Grant:
    grant = Grant(
        tool="helpdesk.refund",
        permission_set="triage",
        schema=SCHEMAS["refund"],
        where={"type": "object", "properties": {"amount": {"maximum": 50}, "currency": {"enum": ["EUR"]}}},
        bind={"customer_id": Ref(path=("session", "customer_id"))},
        approval=Approval(
            by=("leads",), when={"type": "object", "properties": {"amount": {"exclusiveMinimum": 20}}}
        ),
        untrusted_to_effect="allow",
    )
    return msgspec.structs.replace(grant, **changes)


def program(
    port: int,
    *,
    read: Mapping[str, Any] | None = None,
    refund: Mapping[str, Any] | None = None,
    grant: Mapping[str, Any] | None = None,
    environment: Mapping[str, Any] | None = None,
    host: str = "127.0.0.1",
) -> Program:
    tools = (read_tool(**(read or {})), refund_tool(**(refund or {})))
    hidden = msgspec.structs.replace(tools[0], name="helpdesk.purge", model_name="helpdesk_purge")
    env = Environment(
        variables={"HELPDESK_URL": f"http://{host}:{port}/v1"},
        secrets={"token": Secret(env="HELPDESK_TOKEN")},
        private_hosts=(f"{host}:{port}",),
    )
    data = Data(schema={}, label=Label())
    return Program(
        agent=AgentInfo(name="triage", version="1.0.0", owner="support", description=""),
        input=data,
        session=data,
        output={},
        start="work",
        states={
            "work": AgentState(
                instructions=(),
                prompt=(),
                tools=("helpdesk.get_ticket", "helpdesk.refund"),
                models=(),
                turns=3,
                next="end",
            ),
            "look": AgentState(
                instructions=(), prompt=(), tools=("helpdesk.get_ticket",), models=(), turns=3, next="end"
            ),
            "pay": ToolState(tool="helpdesk.refund", arguments={}, next="end"),
            "end": EndState(output=Const(value=None)),
        },
        models={},
        tools={tool.name: tool for tool in (*tools, hidden)},
        grants={
            "helpdesk.get_ticket": Grant(tool="helpdesk.get_ticket", permission_set="triage", schema=READ),
            "helpdesk.refund": refund_grant(**(grant or {})),
        },
        environments={"local": msgspec.structs.replace(env, **(environment or {}))},
        default_environment="local",
        limits=Limits(),
    )


SOURCE_MAP = {
    key: Position(file="specs/triage.yaml", line=line, column=1)
    for key, line in {
        "state:work/tools": 3,
        "state:look": 5,
        "tool:helpdesk.get_ticket": 8,
        "tool:helpdesk.refund": 9,
        "grant:helpdesk.refund": 10,
        "grant:helpdesk.refund/where/amount": 11,
        "grant:helpdesk.refund/bind/customer_id": 12,
        "grant:helpdesk.refund/approval": 13,
        "grant:helpdesk.refund/quota": 14,
        "grant:helpdesk.refund/untrusted_to_effect": 15,
        "environment:local": 20,
        "environment:local/token": 21,
        "environment:local/HELPDESK_URL": 22,
    }.items()
}


@dataclass
class World:
    """A broker, and all that is around it."""

    server: Server
    records: Records = field(default_factory=Records)
    person: Person = field(default_factory=Person)
    time: Time = field(default_factory=Time)
    events: list[Any] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=lambda: {"HELPDESK_TOKEN": SECRET + "\n"})
    transports: list[HttpTransport] = field(default_factory=list)
    broker: Broker | None = None

    def build(self, made: Program | None = None, **changes: Any) -> Broker:
        made = made or program(self.server.port, **changes)
        environment = made.environments["local"]
        secrets = Secrets(environment, self.environ)
        self.transports.append(HttpTransport(environment, secrets))
        self.broker = Broker(
            made,
            SOURCE_MAP,
            "local",
            self.transports[-1],
            self.records,
            secrets,
            self.person,
            clocks=self.time.clocks(),
        )
        return self.broker

    async def call(self, name: str, arguments: object, **changes: Any) -> Returned | Refusal:
        broker = self.broker or self.build()
        return await broker.call(make_call(name, arguments, **changes), self.events.append)

    async def read(self, ticket_id: str = "t1", **arguments: Any) -> Returned | Refusal:
        return await self.call("helpdesk_get_ticket", {"ticket_id": ticket_id, **arguments})

    async def refund(self, amount: object = 10, **changes: Any) -> Returned | Refusal:
        return await self.call("helpdesk_refund", {"amount": amount}, **changes)


def make_call(name: str, arguments: object, **changes: Any) -> Call:
    call = Call(
        run_id="run1",
        call_id="call-1",
        state="work",
        name=name,
        arguments=arguments if isinstance(arguments, str) else json.dumps(arguments),
        context=Label(trust="trusted", sensitivity="public"),
        data={"input": {}, "session": {"customer_id": "c7"}, "states": {}},
        origins=Origins(),
    )
    return msgspec.structs.replace(call, **changes)


@pytest.fixture
def kit() -> SimpleNamespace:
    """The builders, for tests that need a changed part."""
    return SimpleNamespace(
        ok=ok,
        status=status,
        call=make_call,
        program=program,
        read_tool=read_tool,
        refund_tool=refund_tool,
        source_map=SOURCE_MAP,
        secret=SECRET,
    )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server(answer=ok())
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await made.handle(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    for task in tuple(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    made = World(server)
    yield made
    for transport in made.transports:
        await transport.close()
