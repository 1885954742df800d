"""Approvals: what waits for whom, shown as it would be sent, and decided with a form."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import RedirectResponse, Response

from agentc_runtime.durable.approvals import PENDING, STATUSES, Approval

from .. import approvals
from ..problems import ProblemError
from .visits import Visit, signed_in

ROWS: Final = 100
#: Characters of a reason.
MAX_REASON: Final = 2000


@dataclass(frozen=True)
class Field:
    """An argument of a call, with what an approver may make less of. `field` is its name in the form.

    `value` is what was asked for; a number has `bound` `max` or `min`, a list has `items`.
    """

    name: str
    field: str
    value: object
    origins: tuple[str, ...] = ()
    bound: str | None = None
    items: tuple[object, ...] | None = None


@signed_in("approver", "operator", "auditor")
async def index(visit: Visit) -> Response:
    """What waits, or what was decided."""
    status = visit.request.query_params.get("status", PENDING)
    if status not in STATUSES:
        known = ", ".join(STATUSES)
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"no approval is `{status[:40]}`; they are {known}")
    found = await asyncio.to_thread(
        approvals.list_approvals, visit.parts.ledger, visit.caller, status=status, limit=ROWS
    )
    return visit.page("approvals.html", approvals=found, status=status, statuses=STATUSES, rows=ROWS)


@signed_in("approver", "operator", "auditor")
async def show(visit: Visit) -> Response:
    """One question."""
    return _shown(visit, await _find(visit))


@signed_in("approver")
async def decide(visit: Visit) -> Response:
    """Decide a question by the form of its page."""
    fields = await visit.form()
    found = await _find(visit)
    approved = fields.get("decision", [""])[0] == "approve"
    reason = fields.get("reason", [""])[0].strip()
    problem = ""
    if not approved and fields.get("decision") != ["reject"]:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the decision is to approve or to reject")
    if not approved and not reason:
        problem = "Say why you reject: the agent and the log are told."
    elif len(reason) > MAX_REASON:
        problem = f"The reason has more than {MAX_REASON} characters."
    if problem:
        return _shown(visit, found, problem=problem, reason=reason[:MAX_REASON], status=422)
    try:
        arguments = narrowed(found, fields) if approved else None
        await asyncio.to_thread(
            approvals.decide,
            visit.parts.ledger,
            visit.caller,
            found.approval_id,
            approved=approved,
            reason=reason,
            arguments=arguments,
        )
    except ProblemError as error:
        if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise
        return _shown(visit, await _find(visit), problem=error.detail, reason=reason, status=error.status)
    return RedirectResponse(f"/console/approvals/{found.approval_id}?decided", HTTPStatus.SEE_OTHER)


def fields_of(approval: Approval) -> tuple[Field, ...]:
    """The arguments of the call, each with what may be made less of."""
    found = []
    for number, (name, value) in enumerate(approval.request.arguments.items()):
        bound: str | None = None
        items: tuple[object, ...] | None = None
        if approval.request.tool:
            if isinstance(value, int | float) and not isinstance(value, bool) and value != 0:
                bound = "max" if value > 0 else "min"
            elif isinstance(value, list) and value:
                items = tuple(value)
        origins = tuple(approval.request.origins.get(name, ()))
        found.append(Field(name, f"argument-{number}", value, origins, bound, items))
    return tuple(found)


def narrowed(approval: Approval, form: Mapping[str, list[str]]) -> dict[str, object] | None:
    """The arguments that the form asks for, if they are less than those of the call.

    Raises:
        ProblemError: 422 a field is no number, or names no item.
    """
    arguments = {field.name: _less(field, form) for field in fields_of(approval)}
    return None if arguments == dict(approval.request.arguments) else arguments


def _less(field: Field, form: Mapping[str, list[str]]) -> object:
    said = form.get(field.field, [])
    if field.bound is not None and said:
        number = _number(said[0])
        if number is None:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"`{field.name}` has to be a number")
        # unchanged it stays exactly what was asked for
        return field.value if number == field.value else number
    if field.items is not None and f"{field.field}-shown" in form:
        kept = [number for number, _ in enumerate(field.items) if str(number) in said]
        return [field.items[number] for number in kept]
    return field.value


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


async def _find(visit: Visit) -> Approval:
    wanted: str = visit.request.path_params["approval_id"]
    return await asyncio.to_thread(approvals.find_approval, visit.parts.ledger, visit.caller, wanted)


def _shown(
    visit: Visit, found: Approval, *, problem: str = "", reason: str = "", status: int = HTTPStatus.OK
) -> Response:
    by = found.request.by
    mine = visit.caller.has("approver") and (not by or not visit.caller.groups.isdisjoint(by))
    return visit.page(
        "approval.html",
        code=status,
        approval=found,
        fields=fields_of(found),
        decidable=mine and found.status == PENDING,
        decided="decided" in visit.request.query_params,
        seen_runs=visit.caller.has("caller", "operator", "auditor"),
        problem=problem,
        reason=reason,
        max_reason=MAX_REASON,
    )
