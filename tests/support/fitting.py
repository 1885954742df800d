"""Hooks of schemathesis: runs and sessions that the document allows are also what the served agent takes.

The document is one for all agents: what one of them takes is in its own schema, which no generator sees.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import GenerationMode

FITTING = {"agent": "triage", "input": {"ticket_id": "T-1003"}, "session": {"customer_id": "C-17"}}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Every other one of these requests is meant for the agent; the rest name agents that are not there."""
    operation = case.operation.definition.raw.get("operationId")
    meant = isinstance(case.body, dict) and len(str(case.body)) % 2
    if case.meta.generation.mode != GenerationMode.POSITIVE or not meant:
        return
    if operation == "startRun":
        case.body = FITTING
    if operation == "createSession":
        case.body = {"agent": "triage", "data": FITTING["session"]}
