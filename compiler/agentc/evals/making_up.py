"""Answers that nobody wrote: made up as `agentc mock` does, and requests checked as it does."""

from __future__ import annotations

from urllib.parse import urlsplit

from agentc_runtime.wire import HttpRequest

from ..openapi.slices import openapi_slices
from ..program import Program


class MadeUp:
    """Makes up answers to requests of tools. The same request and seed give the same answer."""

    def __init__(self, program: Program, seed: int) -> None:
        self._program = program
        self._seed = seed
        self._services: dict[tuple[str, str], object] = {}

    def __call__(self, name: str, request: HttpRequest) -> tuple[int, str | None, bytes]:
        """Status, content type and body."""
        # openapi-core takes half a second to import, and most evals say what the service answers
        from ..mock.service import Operation, Request, Service

        tool = self._program.tools[name]
        toolset = self._program.toolsets[tool.toolset.name]
        url = urlsplit(request.url)
        assert tool.operation is not None
        assert toolset.file is not None
        service = self._services.get((name, request.origin))
        if not isinstance(service, Service):
            # what stands before the operation's path is the server's own
            roots = openapi_slices(
                toolset.file, toolset.overlays, [tool.operation], request.origin, toolset.lock
            )
            service = Service([Operation(tool.operation, roots[0], request.origin)], self._seed)
            self._services[name, request.origin] = service
        path = _below_server(url.path, tool.operation.path)
        reply = service.answer(Request(request.method, path, url.query, request.headers, request.body or b""))
        return reply.status, reply.content_type, reply.body


def _below_server(path: str, template: str) -> str:
    """The end of a path that has as many segments as the operation's."""
    wanted = template.strip("/").count("/") + 1
    return "/" + "/".join(path.strip("/").split("/")[-wanted:])
