"""A fleet of durable runs on loopback: a model, a service that counts, a project, workers that can be killed.

The model keeps nothing: what it says follows from the conversation, so that any turn can be asked again. The
service counts what arrives, by idempotency key and without.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: What the agent does for its ticket, in this order: it reads, pays with a key, notes without one.
CALLS = ("desk__get_ticket", "desk__refund", "desk__note")


def arguments_of(tool: str, ticket: str) -> dict[str, Any]:
    given: dict[str, Any] = {"ticket_id": ticket}
    if tool == "desk__refund":
        given["amount"] = 5
    if tool == "desk__note":
        given["text"] = f"paid {ticket}"
    return given


def document() -> dict[str, Any]:
    """The API of the service."""
    ticket = {
        "type": "object",
        "properties": {"id": {"type": "string", "maxLength": 20, "pattern": "^[A-Z0-9-]+$"}},
        "required": ["id"],
    }
    answer = {"description": "it", "content": {"application/json": {"schema": ticket}}}
    identity = {"name": "ticket_id", "in": "path", "required": True, "schema": {"type": "string"}}

    def body(**properties: Any) -> dict[str, Any]:
        schema = {
            "type": "object",
            "properties": {"ticket_id": {"type": "string"}, **properties},
            "required": ["ticket_id", *properties],
        }
        return {"required": True, "content": {"application/json": {"schema": schema}}}

    def operation(name: str, **more: Any) -> dict[str, Any]:
        return {"operationId": name, "summary": name, "security": [], "responses": {"200": answer}, **more}

    return {
        "openapi": "3.1.0",
        "info": {"title": "Desk", "version": "1"},
        "paths": {
            "/tickets/{ticket_id}": {"get": operation("getTicket", parameters=[identity])},
            "/refunds": {"post": operation("createRefund", requestBody=body(amount={"type": "number"}))},
            "/notes": {"post": operation("createNote", requestBody=body(text={"type": "string"}))},
        },
    }


def write_project(
    live_service: Any, folder: Path, model: str, service: str, *, approval: dict[str, Any] | None = None
) -> Path:
    """The project of one agent, `triage`. With `approval` a person has to agree to each refund."""
    refund: dict[str, Any] = {"tool": "desk.refund", "where": {"amount": {"maximum": 50}}}
    if approval is not None:
        refund["approval"] = approval
    trusted = {"output": {"trust": "trusted"}}
    tools = {
        "get_ticket": {"operation": "getTicket", "effect": "read", **trusted},
        "refund": {
            "operation": "createRefund",
            "effect": "send",
            "idempotency": {"header": "Idempotency-Key"},
            **trusted,
        },
        "note": {"operation": "createNote", "effect": "create", **trusted},
    }
    live_service.write_project(
        folder,
        model=model,
        document=document(),
        toolset={"server": "${env.DESK_URL}", "tools": tools},
        environment={
            "variables": {"DESK_URL": service},
            "private_hosts": [service.removeprefix("http://")],
        },
        grants=({"tool": "desk.get_ticket"}, refund, {"tool": "desk.note"}),
    )
    if approval is not None:
        project = json.loads((folder / "agentc.yaml").read_text())
        project["spec"]["approvers"] = {group: ["alice"] for group in approval["by"]}
        (folder / "agentc.yaml").write_text(json.dumps(project, indent=1))
    spec = json.loads((folder / "agent.yaml").read_text())
    spec["spec"]["input"] = {
        "schema": {
            "type": "object",
            "properties": {"ticket": {"type": "string"}},
            "required": ["ticket"],
            "additionalProperties": False,
        },
        "trust": "trusted",
    }
    (folder / "agent.yaml").write_text(json.dumps(spec, indent=1))
    return folder


def say(asked: Any) -> tuple[str, dict[str, Any] | None]:
    """What the model says: a text, or the next call."""
    messages = asked["messages"]
    done = sum(message["role"] == "tool" for message in messages)
    ticket = re.findall(r"T-\d+", json.dumps(next(m for m in messages if m["role"] == "user")))[0]
    if done == len(CALLS):
        return f"Ticket {ticket} is done.", None
    return "", {"name": CALLS[done], "arguments": arguments_of(CALLS[done], ticket)}


def stream(text: str, call: dict[str, Any] | None, number: int) -> bytes:
    """An answer in the wire format of chat completions."""
    delta: dict[str, Any] = {"role": "assistant", "content": text or None}
    if call is not None:
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        delta["tool_calls"] = [{"index": 0, "id": f"call_{number}", "type": "function", "function": function}]
    common = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "fake"}
    reason = "tool_calls" if call is not None else "stop"
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    events: list[dict[str, Any]] = [
        {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {**common, "choices": [], "usage": usage},
    ]
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events) + b"data: [DONE]\n\n"


class World:
    """The model and the service: what they answer, after how long, and what arrived."""

    def __init__(self, live_service: Any, *, delay: float = 0.0, seed: int = 0) -> None:
        self.live_service = live_service
        self.random = random.Random(seed)
        self.delay = delay
        self.down = threading.Event()
        #: While it is set the model does not answer.
        self.stuck = threading.Event()
        self.turns = 0
        self.reads = 0
        #: How often each refund arrived by its key, and each note by its ticket.
        self.refunds: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.tickets: dict[str, str] = {}
        self._lock = threading.Lock()
        self.model = live_service.Service(self._turn)
        self.service = live_service.Service(self._serve)

    def __enter__(self) -> World:
        self.model.__enter__()
        self.service.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.model.__exit__()
        self.service.__exit__()

    @property
    def model_url(self) -> str:
        return f"http://127.0.0.1:{self.model.port}"

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    def _turn(self, asked: Any) -> Any:
        if self.down.is_set():
            return self.live_service.Answer({"error": {"message": "down"}}, 503)
        while self.stuck.is_set():
            time.sleep(0.05)
        time.sleep(self.delay * self.random.random())
        text, call = say(json.loads(asked.body))
        with self._lock:
            self.turns += 1
            number = self.turns
        return self.live_service.Answer(
            stream(text, call, number), headers={"content-type": "text/event-stream"}
        )

    def _serve(self, asked: Any) -> Any:
        if asked.method == "GET":
            with self._lock:
                self.reads += 1
            ticket = asked.path.rpartition("/")[2]
        else:
            said = json.loads(asked.body)
            ticket = said["ticket_id"]
            with self._lock:
                if asked.path == "/refunds":
                    key = asked.headers["idempotency-key"]
                    self.refunds[key] += 1
                    assert self.tickets.setdefault(key, ticket) == ticket
                else:
                    self.notes[ticket] += 1
        time.sleep(self.delay * self.random.random())
        return self.live_service.Answer({"id": ticket})


class Workers:
    """Worker processes over one store."""

    def __init__(self, url: str, log: Path, *, concurrency: int = 20, takeover: float = 3) -> None:
        self.url = url
        self.log = log
        self.command = [
            *(sys.executable, "-m", "agentc", "worker", "--store", url),
            *("--concurrency", str(concurrency), "--takeover-after", str(takeover)),
        ]
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, number: int = 1, prefix: Sequence[str] = ()) -> None:
        environment = {**os.environ, "MODEL_KEY": "key-of-the-model"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(number):
            with self.log.open("ab") as log:
                self.processes.append(
                    subprocess.Popen(
                        [*prefix, *self.command],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        env=environment,
                    )
                )

    def kill(self, index: int = 0) -> None:
        process = self.processes.pop(index)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.processes.clear()
