"""State type `tool`: a call that the workflow makes, through the same broker and the same checks."""

from __future__ import annotations

import json

from ..labels import join
from ..refusals import Refusal, RefusedError
from ..values import ABSENT, evaluate, references
from ..workflow import ToolState
from .calling import carry_out, propose
from .context import Run, Step


async def run_tool(run: Run, name: str, state: ToolState) -> Step:
    """Make the call; an argument whose reference is absent is left out, and the broker judges the rest.

    Raises:
        RefusedError: the broker's refusal.
    """
    values = {argument: evaluate(expr, run.data) for argument, expr in state.arguments.items()}
    given = {argument: value for argument, value in values.items() if value is not ABSENT}
    read = {path for expr in state.arguments.values() for path in references(expr)}
    call = propose(run, name, state.tool, json.dumps(given, ensure_ascii=False), run.label_of(read))
    outcome = await carry_out(run, call)
    if isinstance(outcome, Refusal):
        raise RefusedError(outcome)
    return Step(next=state.next, output=outcome.value, label=join(call.context, outcome.label))
