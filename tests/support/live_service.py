"""A service on loopback that keeps what it was asked, and a small project whose agent calls it."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request: header names in lower case, and the names in the certificate that the client showed."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client: str


class Answer(NamedTuple):
    """What is sent back: JSON, unless the headers say otherwise and `body` is bytes."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = {}


class _Server(ThreadingHTTPServer):
    #: As many connect at once as there are runs in a test of many.
    request_queue_size = 256
    daemon_threads = True


class Service:
    """The server: `answer` is asked for each answer. With `tls` it speaks TLS. Use as a context manager."""

    def __init__(self, answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that was refused
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Service:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def to(self, path: str) -> list[Asked]:
        """The requests whose path begins so, in order."""
        return [one for one in self.asked if one.path.startswith(path)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                asked = Asked(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(int(self.headers.get("content-length") or 0)),
                    _client(self.connection),
                )
                service.asked.append(asked)
                answer = service.answer(asked)
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                with suppress(ConnectionError):  # whoever asked has given up
                    self.send_response(answer.status)
                    for name, value in {"content-type": "application/json", **answer.headers}.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        return Handler


def _client(connection: object) -> str:
    """The common name in the client's certificate."""
    found = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    parts = dict(part[0] for part in (found or {}).get("subject", ()))
    return str(parts.get("commonName", ""))


def write_project(
    folder: Path,
    *,
    model: str,
    document: Mapping[str, Any],
    toolset: Mapping[str, Any],
    environment: Mapping[str, Any],
    grants: tuple[Mapping[str, Any], ...],
) -> Path:
    """A project of one agent, `triage`, with the tools of one toolset, `desk`. JSON is YAML.

    `model` is the base URL of a provider; `environment` is laid over one that holds its key.
    """
    host = model.partition("://")[2]
    secrets = {"model_key": {"env": "MODEL_KEY"}, **environment.get("secrets", {})}
    local = {
        **environment,
        "variables": {"MODEL_URL": f"{model}/v1", **environment.get("variables", {})},
        "secrets": secrets,
        "private_hosts": [host, *environment.get("private_hosts", ())],
    }
    prices = {"input": 0.25, "output": 2}
    fast = {
        "provider": "openai",
        "model": "fake",
        "base_url": "${env.MODEL_URL}",
        "secret": "model_key",
        "prices": prices,
        "max_sensitivity": "confidential",
    }
    agent = {
        "model": "fast",
        "instructions": "Do your work.",
        "input": {"schema": {"type": "object", "properties": {}}},
        "permissions": ["triage"],
        "limits": {"cost_usd": 0.5},
    }
    text = json.dumps(document, indent=1)
    digest = hashlib.sha256(text.encode()).hexdigest()
    specs = {
        ("agentc.yaml", "Project"): {"models": {"fast": fast}, "environments": {"local": local}},
        ("desk.yaml", "Toolset"): {"openapi": {"file": "openapi.json", "sha256": digest}, **toolset},
        ("triage.yaml", "PermissionSet"): {"grants": list(grants)},
        ("agent.yaml", "Agent"): agent,
    }
    names = {"Project": "desk", "Toolset": "desk", "PermissionSet": "triage", "Agent": "triage"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_text(text)
    for (file, kind), spec in specs.items():
        metadata = {"name": names[kind], "version": "1.0.0", "owner": "support"}
        resource = {"apiVersion": "agentc/v1", "kind": kind, "metadata": metadata, "spec": spec}
        (folder / file).write_text(json.dumps(resource, indent=1))
    return folder
