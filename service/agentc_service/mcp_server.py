"""Agents as tools of the Model Context Protocol, over its streamable HTTP transport.

The protocol's own library reads and writes it, without sessions of its own: every request is recognised like
any other of the service, and a call is a run that is begun by the same function. Whom a run is for says a
header, which the host program sets; the host's model fills in the arguments, and no more than those.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.security.utils import get_authorization_scheme_param
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.requests import Request

from agentc_runtime import __version__
from agentc_runtime.journal import StoreError

from .auth.guard import Guard, unauthorised
from .chat import answer_of
from .ending import GOES_ON, Ending, ending
from .events import EventStreams
from .problems import ProblemError, response
from .runs import Runs
from .settings import Served, Settings
from .watching import trace_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .auth.caller import Caller

#: Asks for the answer of a run that was not over when it was waited for. No agent's name has a dot.
GET_RUN: Final = "runs.get"
#: The header that says whom runs are for.
SESSION: Final = "agentc-session-id"
#: Seconds that a run is waited for before the host is told how to ask again.
PATIENCE: Final = 300.0
_CALLER: Final = "agentc.caller"
_GET_RUN_TOOL: Final = Tool(
    name=GET_RUN,
    description="The answer of a run that was not over, or waited for a person, when it was asked for.",
    input_schema={
        "type": "object",
        "properties": {"run_id": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$"}},
        "required": ["run_id"],
        "additionalProperties": False,
    },
    annotations=ToolAnnotations(read_only_hint=True),
)


class McpServer:
    """The entrance at `/mcp`, which answers while it is open."""

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self._settings = settings
        self._guard = guard
        server: Server[dict[str, object]] = Server(
            "agentc", version=__version__, on_list_tools=self._list, on_call_tool=self._call
        )
        # runs are part of the caller's trace by themselves
        server.middleware.clear()
        self._manager = StreamableHTTPSessionManager(
            server, stateless=True, max_request_body_size=settings.limits.body_bytes
        )

    @asynccontextmanager
    async def open(self, runs: Runs, streams: EventStreams) -> AsyncIterator[None]:
        """Answer with what these give, until the block ends."""
        self._runs, self._streams = runs, streams
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Recognise the caller, and let the library answer."""
        try:
            if scope["method"] != "POST":
                # a stream of its own would have nothing to say, and there is no session to end
                raise ProblemError(
                    HTTPStatus.METHOD_NOT_ALLOWED, "requests are made with POST", headers={"allow": "POST"}
                )
            scope[_CALLER] = await self._recognised(Request(scope))
        except ProblemError as error:
            refused = response(error.status, error.detail, code=error.code, headers=error.headers)
            await refused(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    async def _recognised(self, request: Request) -> Caller:
        origin = request.headers.get("origin")
        if origin is not None and origin != self._settings.console.origin:
            # a page of somebody else in a browser, which the protocol has servers refuse
            raise ProblemError(HTTPStatus.FORBIDDEN, "requests of other pages in a browser are not taken")
        scheme, credentials = get_authorization_scheme_param(request.headers.get("authorization"))
        if scheme.lower() != "bearer" or not credentials:
            raise unauthorised("the request has no `Authorization: Bearer` header")
        caller = await self._guard.caller(credentials)
        if not caller.has("caller", "operator"):
            raise ProblemError(HTTPStatus.FORBIDDEN, "this needs the role `caller` or `operator`")
        return caller

    async def _list(
        self, context: ServerRequestContext[dict[str, object], Request], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        agents = self._settings.agents
        return ListToolsResult(tools=[*(_tool(agents[name]) for name in sorted(agents)), _GET_RUN_TOOL])

    async def _call(
        self, context: ServerRequestContext[dict[str, object], Request], params: CallToolRequestParams
    ) -> CallToolResult:
        assert context.request is not None  # noqa: S101  the transport is HTTP
        request, given = context.request, params.arguments or {}
        caller: Caller = request.scope[_CALLER]
        try:
            if params.name == GET_RUN:
                run_id = str(given.get("run_id", ""))
                await self._runs.owner(caller, run_id)
            else:
                session_id = request.headers.get(SESSION)
                session = await self._runs.session(caller, params.name, None, session_id)
                run_id = await self._runs.start(
                    caller, agent=params.name, input=given, session=session, session_id=session_id,
                    key=None, trace=trace_of(request.headers),
                )  # fmt: skip

            async def told(number: int) -> None:
                await context.session.report_progress(number, message=f"run {run_id}")

            end = await ending(self._runs, self._streams, run_id, PATIENCE, told)
        except ProblemError as error:
            if error.status == HTTPStatus.NOT_FOUND and params.name not in (*self._settings.agents, GET_RUN):
                raise MCPError(INVALID_PARAMS, f"no tool `{params.name[:80]}` here") from error
            return _failed(error.detail)
        except StoreError as error:
            raise MCPError(INTERNAL_ERROR, "the store can't be used now") from error
        return _result(run_id, end)


def _tool(served: Served) -> Tool:
    program = served.bundle.program
    output = dict(program.output)
    reads = all(program.tools[name].effect == "read" for name in program.grants)
    return Tool(
        name=program.agent.name,
        description=program.agent.description or None,
        input_schema={"type": "object", **program.input.schema},
        output_schema=output if output.get("type") == "object" else None,
        annotations=ToolAnnotations(read_only_hint=reads),
    )


def _result(run_id: str, end: Ending) -> CallToolResult:
    if end.status == "succeeded":
        structured = end.output if isinstance(end.output, dict) else None
        text = TextContent(type="text", text=answer_of(end.output))
        return CallToolResult(content=[text], structured_content=structured)
    said = end.reason(run_id)
    if end.status in (*GOES_ON, "waiting"):
        said = f"{said}. Call `{GET_RUN}` with this run_id for its answer later; a new call is a new run"
    return _failed(said)


def _failed(why: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=why)], is_error=True)
