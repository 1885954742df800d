"""Calls on their way from a state to the broker and back: ids, labels, and what they may have done."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from ..bundle import Grant, Program, Tool, locate
from ..calls import Call, Returned, answered
from ..events import ToolCalled, ToolRefused
from ..expressions import Const
from ..labels import Label, join
from ..once import Once
from ..origins import ORIGINS
from ..quoting import shortened
from ..refusals import Refusal
from ..values import references
from .context import Done, Run

#: Characters of raw arguments that the transcript shows.
SHOWN_ARGUMENTS: Final = 4000


def propose(run: Run, state: str, name: str, arguments: str, context: Label) -> Call:
    """A call under the next id of the run. What the grant binds counts as read, because it is sent too.

    The id is the same in each replay of the run; the model's own ids are neither unique nor to be trusted.
    """
    tool = find(run.services.program, name)
    grant = None if tool is None else run.services.program.grants.get(tool.name)
    if grant is not None and grant.bind:
        context = join(context, run.label_of(_bound(grant)))
    run.tally.called()
    return Call(
        run_id=run.run_id,
        call_id=run.key("call"),
        state=state,
        name=name,
        arguments=arguments,
        context=context,
        data=run.data,
        origins=run.origins,
    )


def _paths(grant: Grant) -> frozenset[tuple[str, ...]]:
    return frozenset(path for expr in grant.bind.values() for path in references(expr))


_bound: Final = Once(_paths)


async def carry_out(run: Run, call: Call) -> Returned | Refusal:
    """Let the broker decide the call and make it, and note whether it may have changed something.

    Every call of an effect that was sent may have, whatever came back: only AR1 to AR3 and a call that was
    held back (AR408) are known to have changed nothing.
    """
    tool = find(run.services.program, call.name)
    effect = tool is not None and tool.effect != "read"
    services = run.services
    try:
        outcome = await services.steps.call(call.call_id, lambda: services.broker.call(call, services.emit))
    except asyncio.CancelledError:
        run.acted = run.acted or effect
        raise
    if isinstance(outcome, Refusal):
        run.tally.refused()
    sent = not isinstance(outcome, Refusal) or (outcome.code.startswith("AR4") and outcome.code != "AR408")
    if sent and effect:
        run.acted = True
    if isinstance(outcome, Returned):
        _learn(run, call, outcome)
        if tool is not None and effect:
            run.done.append(Done(services=run.services, call=call, tool=tool, returned=outcome))
    return outcome


def _learn(run: Run, call: Call, outcome: Returned) -> None:
    """What later calls may trace their values to, after this one.

    A trusted answer may repeat what it was asked. So it does not count when a model that had read untrusted
    content has made up what was asked, and where that was an untrusted value without a sentence, all of the
    answer counts in which it does not stand.
    """
    if outcome.approved:
        run.origins.add("approved", outcome.arguments)
    if outcome.label.trust != "trusted":
        return
    tool = find(run.services.program, call.name)
    bind = {} if tool is None else run.services.program.grants[tool.name].bind
    made_up = [
        value
        for name, value in outcome.arguments.items()
        if not isinstance(bind.get(name), Const) and not run.origins.stands_in(value, ORIGINS)
    ]
    if call.context.trust == "trusted" or not made_up:
        run.origins.add("trusted", outcome.value)
    elif call.context.trust == "typed":
        run.origins.add("trusted", outcome.value, without=made_up)


async def refuse(run: Run, call: Call, code: str, message: str, *, key: str, value: object) -> Refusal:
    """Refuse a call that the broker is not shown, and tell the observers and the audit log."""
    services = run.services
    refusal = Refusal(code=code, message=message, value=value, at=locate(services.source_map, key))
    run.tally.refused()
    raw = shortened(services.secrets.redact(call.arguments), SHOWN_ARGUMENTS)
    name = shortened(call.name)
    called = ToolCalled(state=call.state, tool=name, call_id=call.call_id, arguments=raw, label=call.context)
    services.emit(called)
    what = msgspec.to_builtins(refusal)
    said = {"call_id": call.call_id, "state": call.state, "tool": name, "refusal": what}
    await answered(services.journal.record(call.run_id, "refused", said))
    services.emit(
        ToolRefused(state=call.state, tool=name, call_id=call.call_id, refusal=refusal, label=call.context)
    )
    return refusal


def find(program: Program, name: str) -> Tool | None:
    """The tool with this full name or model name, compared exactly."""
    return _by_name(program).get(name)


def _named(program: Program) -> dict[str, Tool]:
    return {tool.model_name: tool for tool in reversed(program.tools.values())} | program.tools


_by_name: Final = Once(_named)
