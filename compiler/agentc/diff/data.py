"""A delta as JSON: stable keys, for scripts."""

from __future__ import annotations

from agentc_runtime.labels import Label

from ..access import Verdict
from .acceptance import Accepted
from .text import not_compared
from .values import Bump, Change, Delta, Edit, Place, Side, Witness


def as_data(delta: Delta, accepted: Accepted) -> dict[str, object]:
    """All of it."""
    return {
        "format": "agentc.diff/1",
        "verdict": verdict_of(delta, accepted),
        "digest": f"sha256:{delta.digest}",
        "old": _side(delta.old),
        "new": _side(delta.new),
        "changes": [change_as_data(change, accepted) for change in delta.changes],
        "behaviour": [_edit(edit) for edit in delta.edits],
        "versions": [_bump(bump) for bump in delta.bumps],
        "acceptances_that_do_not_count": [
            {"why": why, "at": _place(place)} for why, place in accepted.problems
        ],
        "not_compared": list(not_compared(delta)),
    }


def verdict_of(delta: Delta, accepted: Accepted) -> str:
    """`widened`, `accepted` or `not widened`."""
    if not delta.widenings:
        return "not widened"
    return "widened" if accepted.open else "accepted"


def change_as_data(change: Change, accepted: Accepted) -> dict[str, object]:
    """One change of what an agent may do."""
    by = accepted.of(change) if change.widens else None
    return {
        "change": change.how,
        "rule": change.code,
        "severity": change.severity,
        "agent": change.agent,
        "subject": change.subject,
        "what": change.what,
        "before": _place(change.before),
        "now": _place(change.now),
        "limits": list(change.lines),
        "witness": None if change.witness is None else _witness(change.witness),
        "undecided": change.unclear or None,
        "changed_files": list(change.cause),
        "accepted": None if by is None else {"by": by.by, "reason": by.reason, "expires": by.expires},
    }


def _side(side: Side) -> dict[str, object]:
    return {"name": side.label, "kind": side.kind, "identity": side.identity}


def _edit(edit: Edit) -> dict[str, object]:
    return {
        "agent": edit.agent,
        "subject": edit.subject,
        "what": edit.what,
        "at": _place(edit.at),
        "diff": list(edit.lines),
    }


def _bump(bump: Bump) -> dict[str, object]:
    return {
        "agent": bump.agent,
        "before": bump.before,
        "now": bump.now,
        "asked": bump.asked,
        "enough": bump.enough,
    }


def _witness(witness: Witness) -> dict[str, object]:
    base, head = witness.read
    return {
        "tool": witness.tool,
        "state": witness.state,
        "arguments": witness.arguments,
        "data": dict(witness.data),
        "read": {"base": _label(base), "head": _label(head)},
        "calls_before": {"in_run": witness.made[0], "on_day": witness.made[1]},
        "base": _verdict(witness.less),
        "head": _verdict(witness.more),
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "outcome": verdict.outcome,
        "rule": verdict.code or None,
        "message": verdict.message or None,
        "by": list(verdict.by),
        "at": [f"{one.file}:{one.line}" for one in verdict.at],
    }


def _label(label: Label) -> dict[str, object]:
    return {"trust": label.trust, "sensitivity": label.sensitivity}


def _place(place: Place | None) -> dict[str, object] | None:
    return None if place is None else {"file": f"{place.base}{place.file}", "line": place.line}
