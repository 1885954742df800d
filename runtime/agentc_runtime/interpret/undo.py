"""Undo what a run has done, the last effect first, through the same broker and the same checks."""

from __future__ import annotations

import json

from ..calls import Call, Returned, answered
from ..events import NotUndone
from ..labels import join
from ..policy import UNDOING
from ..refusals import Refusal
from ..values import ABSENT, evaluate
from .context import Done, Run


async def undo(run: Run) -> None:
    """Undo everything in `run.done`, whatever becomes of each. What stays as it is, is told and recorded."""
    while run.done:
        done = run.done.pop()
        reason = await _undone(run, done)
        if reason is not None:
            said = {"call_id": done.call.call_id, "tool": done.tool.name, "reason": reason}
            await answered(run.services.journal.record(run.run_id, "not_undone", said))
            run.services.emit(NotUndone(tool=done.tool.name, call_id=done.call.call_id, reason=reason))


async def _undone(run: Run, done: Done) -> str | None:
    """Make the call that takes `done` back; in words why it could not be."""
    how = done.tool.undo
    if how is None:
        return "nothing takes it back"
    told = {"arguments": dict(done.returned.arguments), "answer": done.returned.value}
    values = {name: evaluate(expr, told) for name, expr in how.arguments.items()}
    missing = [name for name, value in values.items() if value is ABSENT]
    if missing:
        return f"`{missing[0]}` of `{how.tool}` is not in the answer"
    call = Call(
        run_id=run.run_id,
        call_id=f"{done.call.call_id}/undo",
        state=UNDOING,
        name=how.tool,
        arguments=json.dumps(values, ensure_ascii=False),
        context=join(done.call.context, done.returned.label),
        data=done.call.data,
        origins=done.call.origins,
    )
    services = done.services
    outcome = await services.steps.call(call.call_id, lambda: services.broker.call(call, services.emit))
    match outcome:
        case Returned():
            return None
        case Refusal():
            return f"{outcome.code}: {outcome.message}"
