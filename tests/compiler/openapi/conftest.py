"""Small documents, and what is compiled out of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agentc.openapi import CompiledOperation, Problem, compile_operations
from agentc.openapi.importing import Import, opened, plan_import, write_import
from agentc.source import SourceFile

Compile = Callable[..., CompiledOperation]
Problems = Callable[..., tuple[Problem, ...]]


def _document(operation: dict[str, Any], rest: dict[str, Any]) -> SourceFile:
    path = rest.pop("path", "/things")
    method = rest.pop("method", "post")
    item = {method: {"operationId": "op", "responses": {"204": {"description": "done"}}, **operation}}
    item |= rest.pop("item", {})
    document = {
        "openapi": rest.pop("openapi", "3.0.3"),
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {path: item},
        **rest,
    }
    return SourceFile("api.json", json.dumps(document).encode())


@pytest.fixture
def document() -> Callable[..., SourceFile]:
    """`document({operation}, path=…, method=…, item=…, components=…)`: a file with the one operation `op`."""
    return lambda operation, **rest: _document(operation, rest)


@pytest.fixture
def compiled() -> Compile:
    """`compiled({operation}, …)`: the operation, which must compile."""

    def compile_one(operation: dict[str, Any], **rest: Any) -> CompiledOperation:
        result = compile_operations(_document(operation, rest), ["op"], None)
        assert not result.problems
        assert not result.operation_problems["op"]
        found = result.operations["op"]
        assert found is not None
        return found

    return compile_one


@pytest.fixture
def problems() -> Problems:
    """`problems({operation}, …)`: why the operation does not compile."""

    def compile_one(operation: dict[str, Any], **rest: Any) -> tuple[Problem, ...]:
        result = compile_operations(_document(operation, rest), ["op"], None)
        assert not result.problems
        assert result.operations["op"] is None
        assert result.operation_problems["op"]
        return result.operation_problems["op"]

    return compile_one


@pytest.fixture
def body_schema(compiled: Compile) -> Callable[..., dict[str, Any]]:
    """`body_schema(schema, …)`: the argument schema of an operation whose required JSON body is `schema`."""

    def of(schema: object, **rest: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": schema}}
        return compiled({"requestBody": {"required": True, "content": content}}, **rest).arguments

    return of


class Site(NamedTuple):
    """A server on loopback: where it is, what it gives, and the paths that were asked for."""

    url: str
    pages: dict[str, Any]
    asked: list[str]


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Any]], Site]]:
    """`serve({"/a.yaml": "text"})`: a site. A page is a text, a status with its headers, or a function of the
    handler that answers; any other path is not found."""
    servers: list[ThreadingHTTPServer] = []

    def start(pages: dict[str, Any]) -> Site:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_GET(self) -> None:
                asked.append(self.path)
                page = pages.get(self.path, (404, {}))
                if callable(page):
                    page(self)
                    return
                status, headers = page if isinstance(page, tuple) else (200, {})
                body = page.encode() if isinstance(page, str) else page if isinstance(page, bytes) else b""
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return Site(f"http://127.0.0.1:{server.server_port}", pages, asked)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def import_document() -> Callable[..., Import]:
    """`import_document(source, folder, name, wanted=…)`: the import, without a toolset to pin it in."""

    def run(
        source: str, folder: Path, name: str | None = None, *, wanted: frozenset[str] = frozenset()
    ) -> Import:
        with opened(source) as found:
            planned = plan_import(found, folder, name, lambda _: wanted)
        write_import(planned)
        return planned

    return run
