"""What the reports of `agentc eval` say by themselves, whatever a policy asks of their figures.

A report of another program may hold anything: of such a one only the limits of the policy are known.
"""

from __future__ import annotations

from typing import Final

from ..quoting import shortened
from .statement import Statement

EVAL_FORMAT: Final = "agentc.eval/1"


def another_bundle(report: object, digest: str) -> str | None:
    """The bundle that a report names, in words, if it is not that of the digest."""
    if not isinstance(report, dict) or ("bundle" not in report and not _is_eval(report)):
        return None
    told = report.get("bundle")
    if told == digest:
        return None
    return f"sha256:{shortened(told, 12)}" if isinstance(told, str) else "which it does not name"


def eval_name(one: Statement) -> str | None:
    """The name of the eval that an attestation is about, `None` when it is about something else."""
    report = one.predicate.get("report")
    name = report.get("eval") if isinstance(report, dict) else None
    return name if one.kind == "eval" and isinstance(name, str) else None


def why_not_passed(report: object) -> str | None:
    """Why a report is no evidence: its own gates do not hold, or it is of some cases only."""
    if not isinstance(report, dict) or not _is_eval(report):
        return None
    if report.get("partial") is not False:
        return "only some of its cases were run"
    if report.get("passed") is True:
        return None
    gates = report.get("gates")
    for gate in gates if isinstance(gates, list) else []:
        if isinstance(gate, dict) and gate.get("passed") is not True:
            return f"a gate does not hold: {shortened(str(gate.get('message')), 200)}"
    return "its gates do not hold"


def _is_eval(report: dict[str, object]) -> bool:
    return report.get("format") == EVAL_FORMAT
