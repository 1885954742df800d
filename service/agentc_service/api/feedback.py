"""What people say of runs: a thumb, what should have come out, labels. Cases of evals are made of it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from agentc_runtime.durable.feedback import (
    Feedback,
    NothingKeptError,
    UnfitCorrectionError,
    give_feedback,
    list_feedback,
    withdraw_feedback,
)
from agentc_runtime.said import Said

from ..problems import ProblemError, documented
from ..runs import SEE_ALL
from .bodies import StrictRoute
from .parts import AGENT, RUN_ID, TEXT, LedgerPart, Overseer, Reader, RunId, RunsPart, Starter

router = APIRouter(prefix="/v1", tags=["feedback"], route_class=StrictRoute)
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class NewFeedback(BaseModel):
    """What you say of a run: at least one of these."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [
                {"required": ["thumb"], "properties": {"thumb": {"type": "string"}}},
                {"required": ["correction"], "properties": {"correction": {"not": {"type": "null"}}}},
                {"required": ["labels"], "properties": {"labels": {"minItems": 1}}},
                {"required": ["comment"], "properties": {"comment": {"minLength": 1}}},
            ]
        },
    )

    thumb: Literal["up", "down"] | None = None
    correction: JsonValue = None
    """The output that should have come: one that the agent's output schema allows."""
    labels: list[Label] = Field(default=[], max_length=20)
    """Names of what was wrong or right, such as `wrong-amount`."""
    comment: str = Field(default="", max_length=4000, pattern=TEXT)

    def said(self) -> Said:
        """What it says."""
        return Said(
            thumb=self.thumb, correction=self.correction, labels=tuple(self.labels), comment=self.comment
        )


class FeedbackView(BaseModel):
    """What was said of a run, by whom and when."""

    run_id: str
    agent: str
    by: str
    time: str
    thumb: Literal["up", "down"] | None
    correction: JsonValue
    labels: list[str]
    comment: str


class FeedbackList(BaseModel):
    """What was said, of the newest runs first; all of a run stands together."""

    feedback: list[FeedbackView]


@router.put(
    "/runs/{run_id}/feedback",
    operation_id="giveFeedback",
    responses=documented(400, 401, 403, 404, 413, 422, 429, 503),
)
async def give(
    caller: Starter, run_id: RunId, body: NewFeedback, runs: RunsPart, ledger: LedgerPart
) -> FeedbackView:
    """Say what you think of a run. Each has one word on it: the last counts, and the same twice is one."""
    said = body.said()
    if said.nothing:
        told = "say something: `thumb`, `correction`, `labels` or `comment`"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, told)
    await runs.owner(caller, run_id)
    try:
        kept = await asyncio.to_thread(
            give_feedback, ledger, run_id, said, by=caller.subject, tenant=caller.tenant
        )
    except NothingKeptError as error:
        told = f"nothing is kept of run `{run_id}` any more"
        raise ProblemError(HTTPStatus.NOT_FOUND, told) from error
    except UnfitCorrectionError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    return _view(kept)


@router.get(
    "/runs/{run_id}/feedback", operation_id="getFeedback", responses=documented(401, 403, 404, 422, 429, 503)
)
async def get(caller: Reader, run_id: RunId, runs: RunsPart, ledger: LedgerPart) -> FeedbackList:
    """What was said of a run: by the caller, for operators and auditors by everybody."""
    await runs.owner(caller, run_id)
    by = None if caller.has(*SEE_ALL) else caller.subject
    found = await asyncio.to_thread(list_feedback, ledger, tenant=caller.tenant, run_id=run_id, by=by)
    return FeedbackList(feedback=[_view(one) for one in found])


@router.delete(
    "/runs/{run_id}/feedback", operation_id="withdrawFeedback", status_code=204,
    responses=documented(401, 403, 404, 422, 429, 503),
)  # fmt: skip
async def withdraw(caller: Starter, run_id: RunId, runs: RunsPart, ledger: LedgerPart) -> None:
    """Take back what you have said of a run. Nothing is there afterwards, whether or not anything was."""
    await runs.owner(caller, run_id)
    await asyncio.to_thread(withdraw_feedback, ledger, run_id, by=caller.subject, tenant=caller.tenant)


@router.get("/feedback", operation_id="listFeedback", responses=documented(401, 403, 422, 429, 503))
async def list_all(
    caller: Overseer,
    ledger: LedgerPart,
    agent: Annotated[str | None, Query(pattern=AGENT, description="Only of runs of this agent.")] = None,
    thumb: Annotated[Literal["up", "down"] | None, Query(description="Only with this thumb.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Runs that something was said of.")] = 50,
    before: Annotated[str | None, Query(pattern=RUN_ID, description="Only of runs older than this.")] = None,
) -> FeedbackList:
    """What was said of the tenant's runs, the newest runs first: for the review of an agent's work."""
    found = await asyncio.to_thread(
        list_feedback,
        ledger, tenant=caller.tenant, agent=agent, thumb=thumb, limit=limit, before=before,
    )  # fmt: skip
    return FeedbackList(feedback=[_view(one) for one in found])


def _view(one: Feedback) -> FeedbackView:
    said = one.said
    return FeedbackView.model_validate(
        {
            "run_id": one.run_id,
            "agent": one.agent,
            "by": one.by,
            "time": one.time,
            "thumb": said.thumb,
            "correction": said.correction,
            "labels": list(said.labels),
            "comment": said.comment,
        }
    )
