"""Runs: begun, followed, read, cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sse_starlette import EventSourceResponse, ServerSentEvent

from ..problems import documented
from ..watching import trace_of
from .bodies import StrictRoute
from .parts import (
    AGENT,
    MAX_NUMBER,
    RUN_ID,
    SESSION_ID,
    TEXT,
    Operator,
    Reader,
    RunId,
    RunsPart,
    Starter,
    StreamsPart,
)
from .views import RunDetailView, RunList, RunView, Status, detail_view, run_view

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=StrictRoute)
#: Seconds that a slow reader may take for what was sent before the stream is ended; it may come back.
SEND_TIMEOUT = 30
EVENT_STREAM: dict[int | str, dict[str, object]] = {
    200: {
        "content": {
            "text/event-stream": {
                "schema": {
                    "description": "Each event. `data` is JSON: what happened; nothing more follows `end`.",
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "pattern": "^[1-9][0-9]*$"},
                        "event": {"enum": ["run", "end"]},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                    "required": ["event", "data"],
                }
            }
        }
    }
}


class NewRun(BaseModel):
    """A run to begin: with a session's data, or with the id of one that was created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "not": {
                "properties": {"session": {"type": "object"}, "session_id": {"type": "string"}},
                "required": ["session", "session_id"],
            }
        },
    )

    agent: str
    input: JsonValue = Field(default_factory=dict)
    session: dict[str, JsonValue] | None = None
    session_id: str | None = Field(default=None, pattern=SESSION_ID)


class Cancellation(BaseModel):
    """Why a run is cancelled: it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000, pattern=TEXT)


class CallResolution(BaseModel):
    """What became of a call that may have been sent.

    `done`: it took effect, and `answer` is what came back. `not_done`: it did not, and may be sent again.
    `failed`: the run goes on as after a failure.
    """

    model_config = ConfigDict(extra="forbid")

    resolution: Literal["done", "not_done", "failed"]
    reason: str = Field(min_length=1, max_length=2000, pattern=TEXT)
    call_id: str | None = Field(default=None, max_length=200, pattern=TEXT)
    """Which call, when several are in doubt."""
    answer: JsonValue = None


@router.post(
    "", operation_id="startRun", status_code=202,
    responses={201: {"model": RunView, "description": "The run is over."},
               **documented(400, 401, 403, 404, 409, 413, 422, 429, 503)},
)  # fmt: skip
async def start(
    caller: Starter,
    body: NewRun,
    request: Request,
    response: Response,
    runs: RunsPart,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the end of the run.")] = 0,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> RunView:
    """Begin a run. The same `Idempotency-Key` with the same request gives the same run again."""
    session = await runs.session(caller, body.agent, body.session, body.session_id)
    run_id = await runs.start(
        caller, agent=body.agent, input=body.input, session=session, session_id=body.session_id,
        key=idempotency_key, trace=trace_of(request.headers),
    )  # fmt: skip
    if wait:
        await runs.finished(run_id, wait)
    view = run_view((await runs.own(run_id)).run)
    response.headers["location"] = f"/v1/runs/{run_id}"
    if view.ended is not None:
        response.status_code = HTTPStatus.CREATED
    return view


@router.get("", operation_id="listRuns", responses=documented(401, 403, 422, 429, 503))
async def list_runs(
    caller: Reader,
    runs: RunsPart,
    status: Annotated[Status | None, Query(description="Only runs of this status.")] = None,
    agent: Annotated[str | None, Query(pattern=AGENT, description="Only runs of this agent.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=RUN_ID, description="Only runs older than this one.")] = None,
) -> RunList:
    """The newest runs first: a caller's own, for operators and auditors all of the tenant."""
    found = await runs.listed(caller, status=status, agent=agent, limit=limit, before=before)
    return RunList(runs=[run_view(run) for run in found])


@router.get("/{run_id}", operation_id="getRun", responses=documented(401, 403, 404, 422, 429, 503))
async def get(caller: Reader, run_id: RunId, runs: RunsPart) -> RunDetailView:
    """A run with its states and calls."""
    return detail_view(await runs.find(caller, run_id))


@router.get(
    "/{run_id}/events", operation_id="followRun", response_class=EventSourceResponse,
    responses={**EVENT_STREAM, **documented(401, 403, 404, 422, 429, 503)},
)  # fmt: skip
async def follow(
    caller: Reader,
    run_id: RunId,
    runs: RunsPart,
    streams: StreamsPart,
    last_event_id: Annotated[
        int, Header(ge=0, le=MAX_NUMBER, description="The last event that was received.")
    ] = 0,
) -> EventSourceResponse:
    """What happens in a run, as server-sent events. `id` is the event's number: a client that was cut off
    asks with `Last-Event-ID` and gets what it has missed."""
    await runs.owner(caller, run_id)

    async def told() -> AsyncIterator[ServerSentEvent]:
        async for event in streams.follow(run_id, last_event_id, lambda: runs.over(run_id)):
            yield ServerSentEvent(id=str(event.number), event="run", data=event.event)
        yield ServerSentEvent(event="end", data="{}")

    return EventSourceResponse(told(), send_timeout=SEND_TIMEOUT, ping=15)


@router.post(
    "/{run_id}/cancel",
    operation_id="cancelRun",
    responses=documented(400, 401, 403, 404, 409, 413, 422, 429, 503),
)
async def cancel(caller: Operator, run_id: RunId, body: Cancellation, runs: RunsPart) -> RunDetailView:
    """End a run that is not over. It sends nothing more; a call that is under way is still recorded."""
    await runs.cancel(caller, run_id, body.reason)
    return detail_view(await runs.find(caller, run_id))


@router.post(
    "/{run_id}/resolve", operation_id="resolveCall",
    responses=documented(400, 401, 403, 404, 409, 413, 422, 429, 503),
)  # fmt: skip
async def resolve(caller: Operator, run_id: RunId, body: CallResolution, runs: RunsPart) -> RunDetailView:
    """Say what became of a call that is in doubt after a crash, and let its run go on. Look it up first."""
    await runs.resolve(caller, run_id, body.call_id, body.resolution, reason=body.reason, answer=body.answer)
    return detail_view(await runs.find(caller, run_id))
