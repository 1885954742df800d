"""The workflow: from state to state, with each state's retries and catches, until one ends it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeAlias

from ..events import StateEnded, StateEntered, StateFailed
from ..refusals import Refusal, RefusedError
from ..workflow import (
    AgentState,
    ApprovalState,
    Catch,
    ChoiceState,
    EndState,
    HandoffState,
    MapState,
    ModelState,
    Momentary,
    ParallelState,
    RetrieveState,
    Retry,
    State,
    ToolState,
    VerifyState,
)
from .agent import run_agent
from .approval import run_approval
from .choice import run_choice
from .context import Run, Step
from .end import run_end
from .failures import failure, matches
from .handoff import run_handoff
from .model import run_model
from .parallel import Walk, run_map, run_parallel
from .retrieve import run_retrieve
from .steps import LateError
from .tool import run_tool
from .undo import undo
from .verify import run_verify

#: Told of each state that ended: its step, its name behind the scope that it is in, and how.
Observer: TypeAlias = Callable[[int, str, Step | Refusal], None]

_ONCE = Retry()


async def execute(run: Run, observe: Observer) -> object:
    """Run the workflow from its start and give the output of the `end` state that it reaches.

    Raises:
        RefusedError: a state failed and nothing catches it, or `limits.steps` is used up (AR501).
    """
    return (await _Walk(observe)(run, run.services.program.start)).output


class _Walk:
    """Runs a part of the workflow; not a closure, which would hold itself and so the run."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe

    async def __call__(self, inner: Run, start: str) -> Step:
        return await _follow(inner, start, self._observe, self)


async def _follow(run: Run, start: str, observe: Observer, walk: Walk) -> Step:
    """From state to state up to an end."""
    states = run.services.program.states
    name = start
    while True:
        number = run.enter()
        state = states[name]
        try:
            step = await _attempts(run, name, state, number, walk)
        except RefusedError as error:
            caught = _caught(state, error.refusal)
            following = None if caught is None else caught.next
            run.services.emit(StateFailed(state=name, refusal=error.refusal, next=following))
            observe(number, f"{run.scope}{name}", error.refusal)
            if caught is None:
                raise
            if caught.undo:
                await undo(run)
            name = caught.next
            continue
        run.keep(name, step)
        run.services.emit(StateEnded(state=name, next=step.next))
        observe(number, f"{run.scope}{name}", step)
        if step.next is None:
            return step
        name = step.next


async def _attempts(run: Run, name: str, state: State, number: int, walk: Walk) -> Step:
    """The state's outcome, after as many attempts as its `retry` allows.

    An attempt that may have changed something in the world is never repeated: that would do it twice. What
    can be repeated safely, with its idempotency key, the broker has repeated already.
    """
    retry, timeout_ms = (_ONCE, None) if isinstance(state, Momentary) else (state.retry, state.timeout_ms)
    attempt = 1
    while True:
        run.acted = False
        kind = str(state.__struct_config__.tag)
        run.services.emit(StateEntered(state=name, type=kind, step=number, attempt=attempt))
        try:
            if timeout_ms is None:
                return await _once(run, name, state, walk)
            return await _in_time(run, name, state, walk, timeout_ms)
        except RefusedError as error:
            again = attempt < retry.max_attempts and matches(retry.errors, error.refusal.code)
            if run.acted or not again:
                raise
            run.services.emit(StateFailed(state=name, refusal=error.refusal, next=name, retry=True))
        await run.services.steps.pause(run.key("pause"), _pause(retry, attempt))
        attempt += 1


async def _in_time(run: Run, name: str, state: State, walk: Walk, milliseconds: int) -> Step:
    """One attempt, stopped when the state's `timeout` is over."""
    seconds = milliseconds / 1000
    try:
        key = run.key("time")
        return await run.services.steps.within(key, seconds, lambda: _once(run, name, state, walk))
    except LateError as error:
        message = f"state `{name}` took longer than its `timeout` of {seconds:g} s"
        place = f"state:{name}/timeout"
        raise failure(run.services.source_map, "AR510", message, key=place, value=milliseconds) from error


async def _once(run: Run, name: str, state: State, walk: Walk) -> Step:  # noqa: PLR0911  one return a state type
    match state:
        case AgentState():
            return await run_agent(run, name, state)
        case EndState():
            return run_end(run, name, state)
        case ModelState():
            return await run_model(run, name, state)
        case ToolState():
            return await run_tool(run, name, state)
        case ChoiceState():
            return run_choice(run, name, state)
        case ParallelState():
            return await run_parallel(run, name, state, walk)
        case MapState():
            return await run_map(run, name, state, walk)
        case ApprovalState():
            return await run_approval(run, name, state)
        case RetrieveState():
            return await run_retrieve(run, name, state)
        case VerifyState():
            return run_verify(run, name, state)
        case HandoffState():
            return await run_handoff(run, name, state, walk)


def _pause(retry: Retry, attempt: int) -> float:
    """Seconds before the next attempt: full jitter, so that many runs do not come back at once."""
    # the exponent is bounded so that no number of attempts makes a number that takes long to compute
    most = min(retry.max_backoff_ms, retry.backoff_ms * retry.rate ** min(attempt - 1, 64))
    return secrets.randbelow(most + 1) / 1000


def _caught(state: State, refusal: Refusal) -> Catch | None:
    if isinstance(state, ChoiceState | EndState):
        return None
    return next((catch for catch in state.catch if matches(catch.errors, refusal.code)), None)
