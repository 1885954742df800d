"""Agents with random grants, and a service on loopback that keeps what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentc.checks.base import BASE, OPENAPI, sha256_of
from agentc.driver import check_project
from agentc.lowered import Lowered, lower_agents

STATES = """\
  workflow:
    start: work
    states:
      work:
        type: agent
        prompt: Look at {{ input.ticket_id }}.
        tools: [desk.get_ticket, desk.refund]
        next: pay
      pay:
        type: tool
        tool: desk.refund
        arguments: { amount: 5, note: "${states.work.output}" }
        next: done
      done: { type: end, output: x }
"""


class Service:
    """The service. `seen` holds the requests that arrived: method, target, body."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_GET(self) -> None:
                self.answer({"id": "T-1", "subject": "a cup"}, 200)

            def do_POST(self) -> None:
                self.answer({"id": "R-1"}, 201)

            def answer(self, value: object, status: int) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                seen.append((self.command, self.path, body))
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def agent(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Lowered:
    """The base project's agent with two states, its service being the one on loopback."""
    root: Path = tmp_path_factory.mktemp("desk")
    files = dict(BASE)
    document = OPENAPI.replace(
        "currency: { type: string }", "currency: { type: string }\n                note: { type: string }"
    )
    files["openapi.yaml"] = document
    files["toolset.yaml"] = (
        files["toolset.yaml"]
        .replace(sha256_of(OPENAPI), sha256_of(document))
        .replace("effect: send", "effect: send, destinations: [currency]")
    )
    files["agentc.yaml"] = files["agentc.yaml"].replace("8080", str(service.port))
    files["agent.yaml"] += STATES
    for name, text in files.items():
        (root / name).write_text(text)
    result = check_project(root)
    return lower_agents(result.program)["triage"]
