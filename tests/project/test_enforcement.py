"""A hostile model against a real service: what is refused never arrives, and what arrives is permitted.

What may arrive is said a second time here, from the request's bytes, without any of our own code.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import judged
from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.broker import Broker
from agentc_runtime.calls import ApprovalRequest, Call, Decision
from agentc_runtime.labels import Label
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.origins import origins_of
from agentc_runtime.policy import Policy
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle, load_bundle

DOCUMENT = """\
openapi: 3.1.0
info: { title: Notes, version: 1.0.0 }
paths:
  /customers/{customer}/notes/{note}:
    parameters:
      - { name: customer, in: path, required: true, schema: { type: string } }
      - { name: note, in: path, required: true, schema: { type: string } }
    get:
      operationId: readNote
      parameters:
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: tag, in: query, schema: { type: array, items: { type: string } } }
        - { name: page, in: query, schema: { type: integer, minimum: 0 } }
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } } }
    put:
      operationId: writeNote
      requestBody:
        content:
          application/json: { schema: { type: object, properties: { text: { type: string } } } }
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } } }
    delete:
      operationId: deleteNote
      responses: { "204": { description: gone } }
  /refunds:
    post:
      operationId: refund
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                amount: { type: number }
                currency: { type: string }
                customer: { type: string }
                lines:
                  type: array
                  items: { type: object, properties: { sku: { type: string }, count: { type: integer } } }
              required: [amount]
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } } }
"""
SPECS = {
    "openapi.yaml": DOCUMENT,
    "agentc.yaml": """\
apiVersion: agentc/v1
kind: Project
metadata: { name: notes, version: 1.0.0, owner: tests }
spec:
  models: { hostile: { provider: openai, model: hostile } }
  environments:
    local:
      variables: { URL: "http://127.0.0.1:{port}/api" }
      private_hosts: ["127.0.0.1:{port}"]
  approvers: { leads: [ana@example.com] }
  rules: { AC709: ignore, AC804: ignore, AC807: ignore }
""",
    "toolset.yaml": """\
apiVersion: agentc/v1
kind: Toolset
metadata: { name: notes, version: 1.0.0, owner: tests }
spec:
  openapi: { file: openapi.yaml }
  server: ${env.URL}
  tools:
    read: { operation: readNote, effect: read, output: { trust: trusted } }
    write: { operation: writeNote, effect: update }
    refund: { operation: refund, effect: send }
    delete: { operation: deleteNote, effect: delete }
""",
    "permissions.yaml": """\
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: notes, version: 1.0.0, owner: tests }
spec:
  grants:
    - tool: notes.read
      bind: { customer: "${session.customer}" }
    - tool: notes.write
      bind: { customer: "${session.customer}" }
      where: { note: { pattern: "[a-z]{1,8}" }, text: { maxLength: 40 } }
    - tool: notes.refund
      bind: { customer: "${session.customer}" }
      where:
        amount: { exclusiveMinimum: 0, maximum: 50 }
        currency: { enum: [EUR] }
        lines: { maxItems: 2, items: { properties: { sku: { pattern: "[A-Z]{3}" }, count: { maximum: 5 } } } }
      approval: { by: [leads], when: { amount: { minimum: 20 } } }
  flows: { untrusted_to_effect: deny }
""",
    "agent.yaml": """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: notes, version: 1.0.0, owner: tests }
spec:
  model: hostile
  instructions: Keep the notes.
  input: { schema: { type: object, properties: {} } }
  session: { schema: { type: object, properties: { customer: { type: string } }, required: [customer] } }
  permissions: [notes]
  workflow:
    start: look
    states:
      look: { type: agent, tools: [notes.read], next: act }
      act: { type: agent, tools: [notes.read, notes.write, notes.refund], next: done }
      done: { type: end, output: done }
""",
}
CUSTOMER = "C-17"


class Arrived(NamedTuple):
    method: str
    target: str
    headers: str
    body: bytes


def is_permitted(request: Arrived) -> bool:
    """Whether the specs above mean this request to be sent by anybody."""
    path = [unquote(part) for part in urlsplit(request.target).path.split("/")]
    query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    body = json.loads(request.body) if request.body else None
    if "\n" in request.headers.replace("\r\n", "") or path[:2] != ["", "api"]:
        return False
    match request.method, path[2:]:
        case "GET", ["customers", customer, "notes", note]:
            return customer == CUSTOMER and note not in ("", ".", "..") and query.keys() <= {"tag", "page"}
        case "PUT", ["customers", customer, "notes", note]:
            text = isinstance(body, dict) and body.keys() == {"text"} and isinstance(body["text"], str)
            short = text and len(body["text"]) <= 40
            return bool(customer == CUSTOMER and re.fullmatch(r"[a-z]{1,8}", note) and short and not query)
        case "POST", ["refunds"]:
            return isinstance(body, dict) and not query and _is_small_refund(body)
    return False


def _is_small_refund(body: Mapping[str, Any]) -> bool:
    amount, lines = body.get("amount"), body.get("lines")
    return (
        body.keys() == {"amount", "currency", "customer", "lines"}
        and body["customer"] == CUSTOMER
        and body["currency"] == "EUR"
        and isinstance(amount, int | float)
        and not isinstance(amount, bool)
        and 0 < amount < 20  # from 20 on a person is asked, and nobody agrees
        and isinstance(lines, list)
        and len(lines) <= 2
        and all(
            isinstance(line, dict)
            and line.keys() == {"sku", "count"}
            and re.fullmatch(r"[A-Z]{3}", line["sku"]) is not None
            and isinstance(line["count"], int)
            and line["count"] <= 5
            for line in lines
        )
    )


# --- the adversary -------------------------------------------------------------------------------------

TRICKS = [
    lambda name: name.upper(),
    lambda name: name + " ",
    lambda name: name + "\x00",
    lambda name: name + "\u200b",
    lambda name: name.replace("e", "\u0435"),
    lambda name: name.replace("__", "_").replace(".", "_"),
    lambda name: name + "/../notes.refund",
    lambda name: "notes." + name,
]
TEXTS = [
    "a", "abc", "T-1", "C-18", "..", ".", "", " ", "../../refunds", "..%2f..%2frefunds", "%2e%2e", "a/b",
    "a\\b", "x?tag=1", "x#y", "x;y", "a\r\nX-Admin: 1", "a\n\nGET / HTTP/1.1", "\x00", "\u2028", "\ud800",
    "\u202e", "EUR", "eur", "EUR\n", "\uff25UR", "ABC", "AB\u0421", "ABCD", "a" * 100_000, "\uff11",
    "\u0663", "null",
]  # fmt: skip
NUMBERS = [
    0, 1, 5, 19, 19.99, 20, 20.0, 21, 50, 50.01, 51, -1, -0.0, 0.1, 1e308, 2**53 + 1, 2**63, 10**400, 1e-320,
    float("nan"), float("inf"), "5", "0x5", True,
]  # fmt: skip
EXTRA = ["customer", "amount", "__proto__", "note", "url", "Authorization", "\uff41mount", "text"]
MANGLINGS = [
    lambda text: text[:-1] + ',"amount": 1}' if text.endswith("}") else text,
    lambda text: text.replace('"amount": ', '"amount": 4000, "amount": ', 1),
    lambda text: text.replace('"amount"', '"\\u0061mount"'),
    lambda text: text + text,
    lambda text: "\ufeff" + text,
    lambda text: text.replace('"', "'"),
    lambda text: "[" * 200 + text + "]" * 200,
    lambda text: '{"arguments": ' + text + "}",
    lambda text: text.replace("}", ",}"),
]


def any_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return random.choice(TEXTS)
    if kind < 4:
        return random.choice(NUMBERS)
    if kind == 4:
        return random.choice([None, False, [], {}])
    if kind == 5:
        return [any_value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind == 6:
        return {random.choice(TEXTS): any_value(random, depth + 1)}
    return {"sku": random.choice(TEXTS), "count": any_value(random, depth + 1)}


def some_lines(random: Random) -> Any:
    skus = ["ABC", "XYZ", "abc", "ABCD"]
    return [{"sku": random.choice(skus), "count": random.randrange(8)} for _ in range(random.randrange(4))]


def fitting(random: Random, tool: str) -> dict[str, Any]:
    match tool:
        case "read":
            return {"note": random.choice(["T-1", *TEXTS]), "tag": [random.choice(TEXTS)]}
        case "write":
            return {"note": random.choice(["abc", "abcd", "T-1"]), "text": "x" * random.randrange(45)}
        case "refund":
            return {"amount": random.randrange(1, 26), "currency": "EUR", "lines": some_lines(random)}
    return {"note": "abc"}


def proposal(random: Random) -> tuple[str, str, str, Label]:
    """A state, a name, the text of the arguments, and what was read before."""
    tool = random.choice(["read", "write", "refund", "refund", "delete"])
    name = random.choice(["notes.", "notes__"]) + tool
    if random.random() < 0.1:
        name = random.choice(TRICKS)(name)
    arguments = fitting(random, tool)
    for argument in [*arguments]:
        if random.random() < 0.1:
            arguments[argument] = any_value(random)
    if random.random() < 0.2:
        arguments[random.choice(EXTRA)] = any_value(random)
    text = json.dumps(arguments, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.2:
        text = random.choice(MANGLINGS)(text)
    state = random.choice(["act", "act", "act", "act", "look", "done", "other"])
    trust = random.choice(["trusted", "trusted", "trusted", "typed", "untrusted"])
    return state, name, text, Label(trust=trust, sensitivity="internal")


# --- the service and the broker ------------------------------------------------------------------------


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[int, list[Arrived]]]:
    """A server on loopback that keeps all that it is sent."""
    arrived: list[Arrived] = []
    clients: set[asyncio.Task[None] | None] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, _, rest = head.partition("\r\n")
                length = re.search(r"^content-length: (\d+)", rest, re.IGNORECASE | re.MULTILINE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                method, target, _ = first.split(" ")
                arrived.append(Arrived(method, target, rest, body))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield server.sockets[0].getsockname()[1], arrived
    finally:
        server.close()
        await asyncio.gather(*(task for task in clients if task is not None))


class Nobody:
    async def ask(self, request: ApprovalRequest) -> Decision:
        """Nobody agrees to anything."""
        return Decision(approved=False, by="nobody")


def compiled(root: Path, port: int) -> Bundle:
    for name, text in SPECS.items():
        (root / name).write_text(text.replace("{port}", str(port)))
    result = check_project(root)
    assert result.ok, [(one.code, one.span.file, one.span.line, one.message) for one in result.diagnostics]
    return load_bundle(bundle_files(result, result.program.agents["notes"]))


class Battle:
    """A broker, a policy, and the service that both are about. `counts` says what became of the calls."""

    def __init__(self, bundle: Bundle, transport: HttpTransport, arrived: list[Arrived]) -> None:
        program = bundle.program
        secrets = Secrets(program.environments["local"], {})
        self.broker = Broker(
            program, bundle.source_map, "local", transport, MemoryJournal(), secrets, Nobody()
        )
        self.policy = Policy(program, bundle.source_map)
        self.data = {"input": {}, "session": {"customer": CUSTOMER}, "states": {}}
        self.origins = origins_of(program, self.data["input"], self.data["session"])
        self.arrived = arrived
        self.counts = {"allowed": 0, "asks": 0, "refused": 0, "arrived": 0}

    async def attack(self, random: Random, calls: int) -> None:
        """Have `calls` proposals decided, and check each against what arrives."""
        for _ in range(calls):
            state, name, text, context = proposal(random)
            call = Call(
                run_id="run", call_id="call", state=state, name=name, arguments=text,
                context=context, data=self.data, origins=self.origins,
            )  # fmt: skip
            said = judged(self.policy, call)
            before = len(self.arrived)
            await self.broker.call(call, lambda event: None)
            self.counts[said.outcome] += 1
            self.counts["arrived"] += len(self.arrived) - before
            if said.outcome != "allowed":
                assert len(self.arrived) == before, (call, said, self.arrived[before:])
            assert len(self.arrived) <= before + 1
            for request in self.arrived[before:]:
                assert is_permitted(request), (call, request)


@asynccontextmanager
async def battle(root: Path) -> AsyncIterator[Battle]:
    async with recording() as (port, arrived):
        bundle = compiled(root, port)
        transport = HttpTransport(bundle.program.environments["local"])
        try:
            yield Battle(bundle, transport, arrived)
        finally:
            await transport.close()


async def test_nothing_that_is_refused_arrives(tmp_path: Path) -> None:
    async with battle(tmp_path) as fight:
        loop = asyncio.get_running_loop()

        @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.randoms(use_true_random=False))
        def escape(random: Random) -> None:
            asyncio.run_coroutine_threadsafe(fight.attack(random, 10), loop).result()

        await asyncio.to_thread(escape)
        await fight.attack(Random(1), 500)
        assert all(fight.counts.values()), fight.counts


@pytest.mark.slow
async def test_nothing_that_is_refused_arrives_in_fifty_thousand_calls(tmp_path: Path) -> None:
    async with battle(tmp_path) as fight:
        await fight.attack(Random(50_000), 50_000)
        assert sum(fight.counts.values()) - fight.counts["arrived"] == 50_000
        assert fight.counts["arrived"] > 2_000, fight.counts
