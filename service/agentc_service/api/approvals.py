"""Approvals: what runs wait for, shown as it would be sent, and decided once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agentc_runtime.durable.approvals import Approval

from .. import approvals
from ..auth.caller import Caller
from ..auth.guard import needs
from ..problems import documented
from .bodies import StrictRoute
from .parts import TEXT, LedgerPart

router = APIRouter(prefix="/v1/approvals", tags=["approvals"], route_class=StrictRoute)
Viewer = Annotated[Caller, Depends(needs("approver", "operator", "auditor"))]
Approver = Annotated[Caller, Depends(needs("approver"))]
ApprovalId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["0123456789abcdef"])]
ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "void"]


class ApprovalView(BaseModel):
    """A question: the exact request, why a person is asked, and where its values come from."""

    approval_id: str
    agent: str
    run_id: str
    state: str
    tool: str
    arguments: dict[str, JsonValue]
    preview: str
    """The request that would be sent, without secrets."""
    reasons: list[str]
    """Why a person is asked, with the spec line."""
    by: list[str]
    """The groups that may decide; empty: every approver."""
    digest: str
    status: ApprovalStatus
    asked: str
    expires: str
    decided: str | None = None
    decided_by: str | None = None
    decided_for: str | None = None
    reason: str | None = None


class ApprovalList(BaseModel):
    """Approvals; those that expire first come first."""

    approvals: list[ApprovalView]


class NewDecision(BaseModel):
    """The answer. `arguments` approves a narrower call: numbers lowered, items of lists left out."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "reject"]
    reason: str = Field(default="", max_length=2000, pattern=TEXT)
    arguments: dict[str, JsonValue] | None = None


@router.get("", operation_id="listApprovals", responses=documented(401, 403, 422, 429, 503))
async def list_approvals(
    caller: Viewer,
    ledger: LedgerPart,
    status: ApprovalStatus = "pending",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApprovalList:
    """What waits for the caller's groups; for operators and auditors all of the tenant."""
    found = await asyncio.to_thread(approvals.list_approvals, ledger, caller, status=status, limit=limit)
    return ApprovalList(approvals=[_view(one) for one in found])


@router.get("/{approval_id}", operation_id="getApproval", responses=documented(401, 403, 404, 422, 429, 503))
async def get(caller: Viewer, approval_id: ApprovalId, ledger: LedgerPart) -> ApprovalView:
    """One approval."""
    return _view(await asyncio.to_thread(approvals.find_approval, ledger, caller, approval_id))


@router.post(
    "/{approval_id}/decision", operation_id="decideApproval",
    responses=documented(400, 401, 403, 404, 409, 413, 422, 429, 503),
)  # fmt: skip
async def decide(
    caller: Approver, approval_id: ApprovalId, body: NewDecision, ledger: LedgerPart
) -> ApprovalView:
    """Decide, once and for all. The run goes on within a second."""
    decided = await asyncio.to_thread(
        approvals.decide,
        ledger,
        caller,
        approval_id,
        approved=body.decision == "approve",
        reason=body.reason,
        arguments=body.arguments,
    )
    return _view(decided)


def _view(approval: Approval) -> ApprovalView:
    data = msgspec.to_builtins(approval)
    request = data.pop("request")
    shown = {
        name: request[name] for name in ("run_id", "state", "tool", "arguments", "preview", "reasons", "by")
    }
    return ApprovalView.model_validate({**{k: v for k, v in data.items() if k != "arguments"}, **shown})
