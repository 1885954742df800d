"""Approvals of one tenant, for those who may decide them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from agentc_runtime.durable import approvals
from agentc_runtime.durable.approvals import Approval, DecisionError
from agentc_runtime.ledger import Ledger

from .auth.caller import Caller, signature
from .problems import ProblemError

#: Approvals that are read together, until enough are found that the caller may see.
BATCH: Final = 200


def list_approvals(ledger: Ledger, caller: Caller, *, status: str, limit: int) -> tuple[Approval, ...]:
    """Those that expire first come first: an approver's own to decide, for others all of the tenant."""
    found: list[Approval] = []
    after = 0
    while len(found) < limit:
        with ledger.transaction() as within:
            rows = within.execute(
                f"SELECT {approvals.COLUMNS} FROM approvals JOIN served_runs"  # noqa: S608  ours
                " ON served_runs.run_id = approvals.run_id WHERE served_runs.tenant = ? AND status = ?"
                " ORDER BY expires, approval_id LIMIT ? OFFSET ?",
                (caller.tenant, status, BATCH, after),
            ).fetchall()
        found += [
            one for one in (approvals.approval_of(row, ledger.name) for row in rows) if _sees(caller, one)
        ]
        after += BATCH
        if len(rows) < BATCH:
            break
    return tuple(found[:limit])


def find_approval(ledger: Ledger, caller: Caller, approval_id: str) -> Approval:
    """An approval that the caller may see.

    Raises:
        ProblemError: 404 there is none, or it is not theirs to see.
    """
    with ledger.transaction() as within:
        row = within.execute(
            f"SELECT {approvals.COLUMNS} FROM approvals JOIN served_runs"  # noqa: S608  ours
            " ON served_runs.run_id = approvals.run_id"
            " WHERE served_runs.tenant = ? AND approval_id = ?",
            (caller.tenant, approval_id),
        ).fetchone()
    found = None if row is None else approvals.approval_of(row, ledger.name)
    if found is None or not _sees(caller, found):
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no approval `{approval_id[:80]}` here")
    return found


def decide(
    ledger: Ledger,
    caller: Caller,
    approval_id: str,
    *,
    approved: bool,
    reason: str,
    arguments: Mapping[str, object] | None,
) -> Approval:
    """Decide, in the name of the caller and of a group that they are in.

    Raises:
        ProblemError: 403 it is for others to decide, 404, 409 decided or expired, or wider arguments.
    """
    found = find_approval(ledger, caller, approval_id)
    groups = sorted(caller.groups.intersection(found.request.by))
    if found.request.by and not groups:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"this is for {' or '.join(found.request.by)} to decide")
    try:
        return approvals.decide(
            ledger,
            approval_id,
            approved=approved,
            by=signature(caller),
            group=groups[0] if groups else None,
            reason=reason,
            arguments=arguments,
        )
    except DecisionError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error


def _sees(caller: Caller, approval: Approval) -> bool:
    if caller.has("operator", "auditor"):
        return True
    by = approval.request.by
    return caller.has("approver") and (not by or not caller.groups.isdisjoint(by))
