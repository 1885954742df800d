"""The workflow: from state to state, with each state's retries and catches, until one ends the run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeAlias

from ..events import StateEnded, StateEntered, StateFailed
from ..refusals import Refusal, RefusedError
from ..workflow import AgentState, ChoiceState, EndState, ModelState, Retry, State, ToolState
from .agent import run_agent
from .choice import run_choice
from .context import Run, Step
from .end import run_end
from .failures import matches
from .model import run_model
from .tool import run_tool

#: Told of each state that ended: its step, its name, and how.
Observer: TypeAlias = Callable[[int, str, Step | Refusal], None]

_ONCE = Retry()


async def execute(run: Run, observe: Observer) -> object:
    """Run the workflow from its start and give the output of the `end` state that it reaches.

    Raises:
        RefusedError: a state failed and nothing catches it, or `limits.steps` is used up (AR501).
    """
    states = run.services.program.states
    name = run.services.program.start
    while True:
        number = run.enter()
        state = states[name]
        try:
            step = await _attempts(run, name, state, number)
        except RefusedError as error:
            following = _caught(state, error.refusal)
            run.services.emit(StateFailed(state=name, refusal=error.refusal, next=following))
            observe(number, name, error.refusal)
            if following is None:
                raise
            name = following
            continue
        run.keep(name, step)
        run.services.emit(StateEnded(state=name, next=step.next))
        observe(number, name, step)
        if step.next is None:
            return step.output
        name = step.next


async def _attempts(run: Run, name: str, state: State, number: int) -> Step:
    """The state's outcome, after as many attempts as its `retry` allows.

    An attempt that may have changed something in the world is never repeated: that would do it twice. What
    can be repeated safely, with its idempotency key, the broker has repeated already.
    """
    retry = _ONCE if isinstance(state, ChoiceState | EndState) else state.retry
    attempt = 1
    while True:
        run.acted = False
        kind = str(state.__struct_config__.tag)
        run.services.emit(StateEntered(state=name, type=kind, step=number, attempt=attempt))
        try:
            return await _once(run, name, state)
        except RefusedError as error:
            again = attempt < retry.max_attempts and matches(retry.errors, error.refusal.code)
            if run.acted or not again:
                raise
            run.services.emit(StateFailed(state=name, refusal=error.refusal, next=name, retry=True))
        await run.services.steps.pause(run.key("pause"), _pause(retry, attempt))
        attempt += 1


async def _once(run: Run, name: str, state: State) -> Step:
    match state:
        case AgentState():
            return await run_agent(run, name, state)
        case ModelState():
            return await run_model(run, name, state)
        case ToolState():
            return await run_tool(run, name, state)
        case ChoiceState():
            return run_choice(run, name, state)
        case EndState():
            return run_end(run, name, state)


def _pause(retry: Retry, attempt: int) -> float:
    """Seconds before the next attempt: full jitter, so that many runs do not come back at once."""
    # the exponent is bounded so that no number of attempts makes a number that takes long to compute
    most = min(retry.max_backoff_ms, retry.backoff_ms * retry.rate ** min(attempt - 1, 64))
    return secrets.randbelow(most + 1) / 1000


def _caught(state: State, refusal: Refusal) -> str | None:
    if isinstance(state, ChoiceState | EndState):
        return None
    return next((catch.next for catch in state.catch if matches(catch.errors, refusal.code)), None)
