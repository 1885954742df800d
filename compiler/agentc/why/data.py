"""The answer for a program: stable keys."""

from __future__ import annotations

from collections.abc import Callable

from ..access import Verdict
from .explain import Why


def as_data(why: Why, shown: Callable[[str], str], remedy: Callable[[Verdict], str]) -> dict[str, object]:
    """All of it. `shown` gives the path of a file as it is shown."""
    return {
        "agent": why.agent.name,
        "version": why.agent.version,
        "tool": why.tool,
        "granted": why.granted,
        "states": list(why.states),
        "answers": [
            {
                "states": list(one.states),
                "read": {"trust": one.read.trust, "sensitivity": one.read.sensitivity},
                "arguments": one.arguments,
                **_verdict(one.verdict, shown),
                "nearest": None if one.otherwise is None else dict(one.otherwise),
                "nearest_outcome": None if one.then is None else one.then.outcome,
                "change": remedy(one.verdict) or None,
            }
            for one in why.answers
        ],
        "limits": list(why.limits),
        "examples": [
            {"arguments": dict(one.arguments), "about": one.about or None, **_verdict(one.verdict, shown)}
            for one in why.examples
        ],
        "assumed": dict(why.assumed or {}),
    }


def _verdict(verdict: Verdict, shown: Callable[[str], str]) -> dict[str, object]:
    return {
        "outcome": verdict.outcome,
        "rule": verdict.code or None,
        "message": verdict.message or None,
        "reasons": list(verdict.reasons),
        "by": list(verdict.by),
        "because": list(verdict.because),
        "at": [{"file": shown(at.file), "line": at.line, "column": at.column} for at in verdict.at],
    }
