"""The functions of a suite as an HTTP service with an OpenAPI document, both made from the functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from suites import Suite

_SCHEMAS = "#/components/schemas/{model}"


def document(suite: Suite) -> dict[str, Any]:
    """OpenAPI 3.1: one `POST /{function}` for each function, with the schemas that its types have."""
    from pydantic import TypeAdapter

    components: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for function in suite.package.tools:
        body = function.parameters.model_json_schema(ref_template=_SCHEMAS)
        answer = TypeAdapter(function.return_type or object).json_schema(
            ref_template=_SCHEMAS, mode="serialization"
        )
        for schema in (body, answer):
            components.update(schema.pop("$defs", {}))
        paths[f"/{function.name}"] = {
            "post": {
                "operationId": function.name,
                "summary": function.description,
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": {
                    "200": {"description": "done", "content": {"application/json": {"schema": answer}}}
                },
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": suite.name, "version": "1.0.0"},
        "paths": paths,
        "components": {"schemas": components},
    }


class Service:
    """A service on loopback. `environment` is set before each session; `arrived` names what it was asked."""

    def __init__(self, suite: Suite) -> None:
        from agentdojo.functions_runtime import FunctionsRuntime

        self.functions = FunctionsRuntime(suite.package.tools)
        self.environment: Any = None
        self.arrived: list[str] = []
        self.port = 0

    def answer(self, name: str, body: bytes) -> tuple[int, bytes]:
        """What the function gives; 422 with its error when it fails."""
        from pydantic_core import to_json

        self.arrived.append(name)
        value, error = self.functions.run_function(self.environment, name, json.loads(body))
        return (200, to_json(value)) if error is None else (422, json.dumps({"error": error}).encode())


@contextmanager
def served(suite: Suite) -> Iterator[Service]:
    """The suite's service, until the block ends."""
    service = Service(suite)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = service.answer(self.path.strip("/"), body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
