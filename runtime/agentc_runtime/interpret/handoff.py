"""State type `handoff`: another agent works on it, with its own permissions."""

from __future__ import annotations

import msgspec

from ..bundle import Data
from ..labels import Label, join
from ..quoting import clipped
from ..refusals import RefusedError
from ..values import ABSENT, evaluate, references
from ..workflow import HandoffState
from .answers import findings, listed
from .context import Run, Services, Step
from .failures import failure
from .parallel import Walk
from .steps import LateError
from .undo import undo


async def run_handoff(run: Run, name: str, state: HandoffState, walk: Walk) -> Step:
    """Run the other agent. What it is given is labelled by what it really is, never better.

    Raises:
        RefusedError: AR505 the input or the session does not fit its schema, AR501 its time is up, or what
            made it fail.
    """
    services = run.services.agents[state.agent]
    program = services.program
    given = _given(run, name, "input", evaluate(state.input, run.data), services)
    session = _given(run, name, "session", evaluate(state.session, run.data), services)
    as_given = msgspec.structs.replace(
        program,
        input=_labelled(program.input, run.label_of(references(state.input))),
        session=_labelled(program.session, run.label_of(references(state.session))),
    )
    child = run.handoff(run.next_fork(), msgspec.structs.replace(services, program=as_given), given, session)
    seconds = program.limits.time_ms / 1000
    try:
        step = await services.steps.within(run.key("time"), seconds, lambda: walk(child, program.start))
    except LateError as error:
        if program.undo:
            await undo(child)
        message = f"limit `time` of {seconds:g} s of agent `{state.agent}` is used up"
        limit = program.limits.time_ms
        raise failure(services.source_map, "AR501", message, key="limits/time", value=limit) from error
    except RefusedError:
        if program.undo:
            await undo(child)
        raise
    finally:
        run.join(child)
    return Step(next=state.next, output=step.output, label=step.label)


def _labelled(data: Data, label: Label) -> Data:
    return Data(schema=data.schema, label=join(data.label, label))


def _given(run: Run, name: str, what: str, value: object, services: Services) -> object:
    data = services.program.input if what == "input" else services.program.session
    found = findings(None if value is ABSENT else value, data.schema)
    if not found:
        return value
    agent = services.program.agent.name
    message = f"state `{name}` gives agent `{agent}` another {what} than it takes: {listed(found)}"
    raise failure(
        run.services.source_map,
        "AR505",
        message,
        key=f"state:{name}",
        value=clipped(found[0].value),
        path=found[0].path,
    )
