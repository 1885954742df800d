"""Runs: which there are, and what one of them does, live."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Final, get_args

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from agentc_runtime.durable.approvals import Approval
from agentc_runtime.durable.runs import OVER

from .. import tables
from ..api.parts import RUN_ID
from ..api.views import Status
from ..approvals import list_approvals
from ..problems import ProblemError
from ..tables import StoredEvent
from .timeline import Timeline, timeline
from .visits import Visit, signed_in

#: Runs on a page, and events that one timeline is made from.
ROWS: Final = 50
MAX_EVENTS: Final = 5000
#: Seconds after which a follower has to come again, and show its session.
FOLLOWED: Final = 300
STATUSES: Final = get_args(Status)
#: What an operator types into the forms of a run's page.
TYPED: Final = ("reason", "answer", "resolution", "call_id")


@signed_in("caller", "operator", "auditor")
async def index(visit: Visit) -> Response:
    """The newest runs that the caller may see."""
    asked = visit.request.query_params
    status = asked.get("status", "")
    agent, before = asked.get("agent", ""), asked.get("before", "")
    if status and status not in STATUSES:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"no run is `{status[:40]}`; runs are {', '.join(STATUSES)}"
        )
    if before and not re.fullmatch(RUN_ID, before):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "`before` is not the id of a run")
    found = await visit.parts.runs.listed(
        visit.caller, status=status or None, agent=agent or None, before=before or None, limit=ROWS + 1
    )
    return visit.page(
        "runs.html",
        runs=found[:ROWS],
        more=found[ROWS - 1].run_id if len(found) > ROWS else None,
        statuses=STATUSES,
        agents=sorted(visit.parts.settings.agents),
        status=status,
        agent=agent,
        before=before,
    )


@signed_in("caller", "operator", "auditor")
async def show(visit: Visit) -> Response:
    """One run: its state, its timeline, the calls that reached the world."""
    return await page_of(visit)


async def page_of(
    visit: Visit, *, problem: str = "", typed: Mapping[str, str] | None = None, code: int = 200
) -> Response:
    """The page of the run that is asked for. `problem` is what is wrong with what an operator has `typed`."""
    run_id = id_of(visit)
    found = await visit.parts.runs.find(visit.caller, run_id)
    told = await asyncio.to_thread(_told, visit, run_id)
    waiting: tuple[Approval, ...] = ()
    if visit.caller.has("approver", "operator", "auditor") and found.run.status == "waiting":
        pending = await asyncio.to_thread(
            list_approvals, visit.parts.ledger, visit.caller, status="pending", limit=200
        )
        waiting = tuple(one for one in pending if one.request.run_id == run_id)
    return visit.page(
        "run.html",
        run=found.run,
        calls=found.calls,
        told=told,
        cut=told.last >= MAX_EVENTS,
        over=found.run.status in OVER,
        waiting=waiting,
        operates=visit.caller.has("operator"),
        doubtful=[call for call in found.calls if call.settled is None],
        problem=problem,
        typed={**dict.fromkeys(TYPED, ""), **(typed or {})},
        code=code,
    )


@signed_in("caller", "operator", "auditor")
async def follow(visit: Visit) -> Response:
    """Tells, as server-sent events, that there is something new in a run: the page then renews itself."""
    run_id = id_of(visit)
    runs = visit.parts.runs
    await runs.owner(visit.caller, run_id)
    said = visit.request.headers.get("last-event-id") or visit.request.query_params.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,9}", said):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "`after` is not the number of an event")

    async def told() -> AsyncIterator[ServerSentEvent]:
        try:
            async with asyncio.timeout(FOLLOWED):
                async for event in visit.parts.streams.follow(run_id, int(said), lambda: runs.over(run_id)):
                    yield ServerSentEvent(id=str(event.number), event="news", data=str(event.number))
                yield ServerSentEvent(event="end", data="")
        except TimeoutError:
            return

    return EventSourceResponse(told(), ping=15, send_timeout=30, headers={"cache-control": "no-store"})


def id_of(visit: Visit) -> str:
    """The id in the path.

    Raises:
        ProblemError: 404 it is none.
    """
    run_id: str = visit.request.path_params["run_id"]
    if not re.fullmatch(RUN_ID, run_id):
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such run here")
    return run_id


def _told(visit: Visit, run_id: str) -> Timeline:
    events: list[StoredEvent] = []
    while len(events) < MAX_EVENTS:
        more = tables.events_after(visit.parts.ledger, run_id, events[-1].number if events else 0)
        events += more
        if not more:
            break
    return timeline(events[:MAX_EVENTS])
