"""Approvals that wait: asked once, decided once, for exactly the request that was shown.

A decision is a row that changes from `pending`, in one transaction with its record in the audit log and with
the run that it lets go on. The digest of the request is part of the approval's id: a request that has changed
meanwhile is another question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from ..calls import ApprovalRequest, Decision, Parked
from ..canonical import canonical
from ..journal import StoreError
from ..ledger import Ledger, Row, Transaction, log
from ..narrowing import wider_argument
from ..store import rfc3339
from .runs import held_status, wake_run

#: What an approval may be. `void`: the request was changed before anybody decided.
PENDING, APPROVED, REJECTED, EXPIRED, VOID = "pending", "approved", "rejected", "expired", "void"
STATUSES: Final = (PENDING, APPROVED, REJECTED, EXPIRED, VOID)

#: The fields of an `Approval`, as columns.
COLUMNS: Final = (
    "approval_id, agent, request, digest, status, asked, expires, decided, decided_by, decided_for, reason,"
    " arguments"
)


class DecisionError(Exception):
    """A decision that is not taken: one line that says why."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its answer, if it has one. Times are RFC 3339 in UTC."""

    approval_id: str
    agent: str
    request: ApprovalRequest
    digest: str
    status: str
    asked: str
    expires: str
    decided: str | None
    decided_by: str | None
    decided_for: str | None
    reason: str | None
    arguments: dict[str, object] | None


def consult(ledger: Ledger, agent: str, request: ApprovalRequest) -> Decision:
    """The decision on this request, which is asked if it was not asked before.

    Raises:
        Parked: nobody has decided yet.
        TimeoutError: nobody has decided in time.
    """
    approval_id = _id(request)
    with ledger.transaction() as within:
        held_status(within, request.run_id)
        found = _find(within, approval_id, ledger.name)
        if found is None or found.status == VOID:
            _ask(within, approval_id, agent, request)
            status = PENDING
        elif found.status == PENDING and within.now >= found.expires:
            _expire(within, found)
            status = EXPIRED
        else:
            status = found.status
    if status == EXPIRED:
        raise TimeoutError(approval_id)
    if found is None or status == PENDING:
        what = f"`{request.tool}`" if request.tool else f"state `{request.state}`"
        raise Parked("waiting", f"{what} needs an approval: `agentc approvals show {approval_id}`")
    if found.digest != request.digest:
        raise StoreError(f"approval {approval_id} is for another request", ledger.name)
    return Decision(
        approved=found.status == APPROVED,
        by=found.decided_by or "",
        reason=found.reason or "",
        arguments=found.arguments,
    )


def decide(
    ledger: Ledger,
    approval_id: str,
    *,
    approved: bool,
    by: str,
    group: str | None,
    reason: str = "",
    arguments: Mapping[str, object] | None = None,
) -> Approval:
    """Decide a question once and for all, in the name of `by` as a member of `group`, and let its run go on.

    Raises:
        DecisionError: there is no such question, it is decided or expired, `group` may not decide it, or
            `arguments` are not narrower than those that were asked for.
        StoreError: it can't be kept.
    """
    late = False
    run_id = find_approval(ledger, approval_id).request.run_id
    with ledger.transaction() as within:
        held_status(within, run_id)
        found = _find(within, approval_id, ledger.name)
        if found is None:
            raise DecisionError(f"approval `{approval_id}` was erased")
        _open_to(found, group, arguments)
        if within.now >= found.expires:
            _expire(within, found)
            late = True
        else:
            status = APPROVED if approved else REJECTED
            _settle(within, found, status, by=by, group=group, reason=reason, arguments=arguments)
    if late:
        raise DecisionError(f"approval `{approval_id}` expired at {found.expires}")
    return find_approval(ledger, approval_id)


def expire_approvals(ledger: Ledger, limit: int = 500) -> int:
    """Let the runs go on whose questions nobody has answered in time; how many."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT approval_id, run_id FROM approvals WHERE status = 'pending' AND expires <= ?"
            " ORDER BY expires LIMIT ?",
            (within.now, limit),
        ).fetchall()
    for approval_id, run_id in rows:
        with ledger.transaction() as within:
            held_status(within, str(run_id))
            found = _find(within, str(approval_id), ledger.name)
            if found is not None and found.status == PENDING:
                _expire(within, found)
    return len(rows)


def list_approvals(ledger: Ledger, *, status: str = PENDING, limit: int = 50) -> tuple[Approval, ...]:
    """Those that expire first come first."""
    with ledger.transaction() as within:
        rows = within.execute(
            f"SELECT {COLUMNS} FROM approvals WHERE status = ? ORDER BY expires LIMIT ?",  # noqa: S608  ours
            (status, limit),
        ).fetchall()
    return tuple(approval_of(row, ledger.name) for row in rows)


class Waiting(NamedTuple):
    """How many questions of an agent wait in an environment."""

    agent: str
    version: str
    environment: str
    approvals: int


def count_waiting(ledger: Ledger) -> tuple[Waiting, ...]:
    """How many questions wait, by agent and environment."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT r.agent, r.version, r.environment, count(*) FROM approvals a JOIN runs r"
            " ON r.run_id = a.run_id WHERE a.status = 'pending' GROUP BY r.agent, r.version, r.environment"
        ).fetchall()
    return tuple(Waiting(str(row[0]), str(row[1]), str(row[2]), int(str(row[3]))) for row in rows)


def find_approval(ledger: Ledger, approval_id: str) -> Approval:
    """One approval.

    Raises:
        DecisionError: there is none of that id.
    """
    with ledger.transaction() as within:
        found = _find(within, approval_id, ledger.name)
    if found is None:
        raise DecisionError(f"no approval `{approval_id}`; `agentc approvals list` shows those that wait")
    return found


def _id(request: ApprovalRequest) -> str:
    said = {"run": request.run_id, "call": request.call_id, "digest": request.digest}
    return hashlib.sha256(canonical(said)).hexdigest()[:16]


def _ask(within: Transaction, approval_id: str, agent: str, request: ApprovalRequest) -> None:
    within.execute(
        "UPDATE approvals SET status = 'void' WHERE run_id = ? AND call_id = ? AND status = 'pending'",
        (request.run_id, request.call_id),
    )
    now = datetime.fromisoformat(within.now)
    values = (
        approval_id,
        request.run_id,
        request.call_id,
        agent,
        json.dumps(msgspec.to_builtins(request), ensure_ascii=False),
        request.digest,
        within.now,
        rfc3339(now + timedelta(milliseconds=request.expires_ms)),
    )
    within.execute("DELETE FROM approvals WHERE approval_id = ?", (approval_id,))
    within.execute(
        "INSERT INTO approvals (approval_id, run_id, call_id, agent, request, digest, asked, expires, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        values,
    )
    said = {
        "approval_id": approval_id,
        "call_id": request.call_id,
        "tool": request.tool,
        "digest": request.digest,
        "reasons": list(request.reasons),
        "by": list(request.by),
    }
    log(within, request.run_id, "approval_asked", said)


def _open_to(found: Approval, group: str | None, arguments: Mapping[str, object] | None) -> None:
    if found.status != PENDING:
        who = f" by {found.decided_by}" if found.decided_by else ""
        raise DecisionError(
            f"approval `{found.approval_id}` is {found.status}{who}, and is not decided again"
        )
    if found.request.by and group not in found.request.by:
        groups = " or ".join(f"`{name}`" for name in found.request.by)
        raise DecisionError(
            f"approval `{found.approval_id}` is for {groups} to decide: say for which with --group"
        )
    if arguments is None:
        return
    wider = wider_argument(arguments, found.request.arguments)
    if wider is not None:
        raise DecisionError(
            f"`{wider}` is not narrower than what was asked for: numbers may be lowered and items of lists "
            "left out, and every argument has to be there"
        )


def _expire(within: Transaction, found: Approval) -> None:
    _settle(within, found, EXPIRED, by=None, group=None, reason="", arguments=None)


def _settle(
    within: Transaction,
    found: Approval,
    status: str,
    *,
    by: str | None,
    group: str | None,
    reason: str,
    arguments: Mapping[str, object] | None,
) -> None:
    narrowed = None if arguments is None else json.dumps(arguments, ensure_ascii=False)
    within.execute(
        "UPDATE approvals SET status = ?, decided = ?, decided_by = ?, decided_for = ?, reason = ?,"
        " arguments = ? WHERE approval_id = ? AND status = 'pending'",
        (status, within.now, by, group, reason, narrowed, found.approval_id),
    )
    run_id = found.request.run_id
    wake_run(within, run_id)
    said = {
        "approval_id": found.approval_id,
        "call_id": found.request.call_id,
        "tool": found.request.tool,
        "digest": found.digest,
        "approved": status == APPROVED,
        "by": by or "nobody",
        "for": group,
        "reason": reason,
        "arguments": None if arguments is None else dict(arguments),
    }
    log(within, run_id, "approval_decided", said)


def _find(within: Transaction, approval_id: str, where: str) -> Approval | None:
    row = within.execute(
        f"SELECT {COLUMNS} FROM approvals WHERE approval_id = ?{within.holding}",  # noqa: S608  ours
        (approval_id,),
    ).fetchone()
    return None if row is None else approval_of(row, where)


def approval_of(row: Row, where: str) -> Approval:
    """The approval that a row of `COLUMNS` describes; `where` is the store, for messages."""
    data = dict(zip(Approval.__struct_fields__, row, strict=True))
    try:
        data["request"] = json.loads(str(data["request"]))
        data["arguments"] = None if data["arguments"] is None else json.loads(str(data["arguments"]))
        return msgspec.convert(data, Approval)
    except (ValueError, msgspec.ValidationError) as error:
        raise StoreError(f"what is kept of approval `{row[0]}` is damaged: {error}", where) from error
