"""What a run tells its observers, in order: the transcript, the `--format json` lines, later the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from .labels import Label
from .models.types import ModelRequest, ModelResponse, Usage
from .refusals import Refusal

#: What is to be thought of data of which nothing is known.
UNKNOWN: Final = Label(trust="untrusted", sensitivity="restricted")


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """`scope` says in which branch of the run it happened: `1.web/`, and empty outside of all branches."""

    scope: str = ""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run has the bundle that it has: the arm of a channel's pointer, by its number."""

    channel: str
    sequence: int
    arm: str


class RunStarted(_Event, frozen=True, kw_only=True, tag="run_started"):
    """A run of `agent` began on the bundle with the digest `bundle`, which a channel chose if it says how."""

    run_id: str
    agent: str
    version: str
    bundle: str
    environment: str
    replay: bool
    placement: Placement | None = None


class StateEntered(_Event, frozen=True, kw_only=True, tag="state_entered"):
    """The workflow entered a state. `step` counts from 1 in its scope; `attempt` over its retries."""

    state: str
    type: str
    step: int
    attempt: int = 1


class ModelAsked(_Event, frozen=True, kw_only=True, tag="model_asked", omit_defaults=True):
    """A model is asked for a turn. `label` is that of all it is told.

    `request` is what it is told: for observers in this process, and in no text (see `as_data`).
    """

    state: str
    model: str
    label: Label
    request: ModelRequest | None = None


class ModelRetried(_Event, frozen=True, kw_only=True, tag="model_retried"):
    """A try of a model turn failed and another one follows. `attempt` counts from 1."""

    state: str
    model: str
    message: str
    attempt: int


class ModelTurn(_Event, frozen=True, kw_only=True, tag="model_turn", omit_defaults=True):
    """A model turn ended. `cost_usd` is a decimal string, `None` when the model has no prices.

    `first_chunk` is the seconds until the provider sent something, `None` when that is not known. `response`
    is the whole answer: for observers in this process, and in no text (see `as_data`). `remembered` says that
    nobody was asked: the answer was kept from before.
    """

    state: str
    model: str
    text: str
    calls: int
    usage: Usage
    cost_usd: str | None
    seconds: float
    finish_reason: str = ""
    response_id: str = ""
    response_model: str = ""
    first_chunk: float | None = None
    response: ModelResponse | None = None
    remembered: bool = False


class OutputChecked(_Event, frozen=True, kw_only=True, tag="output_checked", omit_defaults=True):
    """An answer was held against the `output` schema of its state. `reason` says why it does not fit."""

    state: str
    model: str
    valid: bool
    reason: str = ""


class ModelFailed(_Event, frozen=True, kw_only=True, tag="model_failed", omit_defaults=True):
    """A model did not answer. `next` is the fallback that is asked instead, `None` if there is none.

    `status` is the provider's HTTP status, if it answered with one that says so.
    """

    state: str
    model: str
    message: str
    next: str | None
    status: int | None = None
    seconds: float = 0.0


class ModelText(_Event, frozen=True, kw_only=True, tag="model_text"):
    """A piece of a model's answer, as it arrives."""

    state: str
    text: str


class ToolCalled(_Event, frozen=True, kw_only=True, tag="tool_called", omit_defaults=True):
    """A tool call is about to be decided. `arguments` are the model's, not yet checked.

    `label` is that of what had been read when it was proposed.
    """

    state: str
    tool: str
    call_id: str
    arguments: str
    label: Label = UNKNOWN


class ApprovalAsked(_Event, frozen=True, kw_only=True, tag="approval_asked"):
    """A person is asked, by an `approval` state when `tool` is empty. `reasons` say why, with spec lines."""

    state: str
    tool: str
    call_id: str
    preview: str
    reasons: tuple[str, ...]


class ApprovalDecided(_Event, frozen=True, kw_only=True, tag="approval_decided"):
    """The answer to `ApprovalAsked`."""

    tool: str
    call_id: str
    approved: bool
    by: str


class ToolRetried(_Event, frozen=True, kw_only=True, tag="tool_retried"):
    """An attempt of a call that was sent failed and another one follows. `attempt` counts from 1."""

    state: str
    tool: str
    call_id: str
    attempt: int
    refusal: Refusal


class ToolReturned(_Event, frozen=True, kw_only=True, tag="tool_returned", omit_defaults=True):
    """The service answered and the answer was accepted.

    `pages` counts those that the answer was folded from; `complete` is false when there are more.
    `cached` is true when the answer, or one of its pages, was read before.
    """

    state: str
    tool: str
    call_id: str
    status: int
    content: str
    label: Label
    seconds: float
    pages: int = 1
    complete: bool = True
    cached: bool = False


class ToolRefused(_Event, frozen=True, kw_only=True, tag="tool_refused", omit_defaults=True):
    """The broker refused the call, or it failed. `label` is that of the call, which `refusal` may quote."""

    state: str
    tool: str
    call_id: str
    refusal: Refusal
    label: Label = UNKNOWN


class Retrieved(_Event, frozen=True, kw_only=True, tag="retrieved"):
    """A retriever gave this many passages."""

    state: str
    retriever: str
    passages: int


class NotUndone(_Event, frozen=True, kw_only=True, tag="not_undone"):
    """An effect stays as it is although what the run has done is undone; `reason` says why."""

    tool: str
    call_id: str
    reason: str


class StateFailed(_Event, frozen=True, kw_only=True, tag="state_failed"):
    """A state failed; `next` is the state that catches it, if one does. `retry` when it is tried again."""

    state: str
    refusal: Refusal
    next: str | None
    retry: bool = False


class StateEnded(_Event, frozen=True, kw_only=True, tag="state_ended"):
    """A state ended and the workflow goes on to `next`."""

    state: str
    next: str | None


class RunEnded(_Event, frozen=True, kw_only=True, tag="run_ended"):
    """The run is over: `output` on success, `refusal` otherwise."""

    run_id: str
    status: str
    output: object
    refusal: Refusal | None
    usage: Usage
    cost_usd: str | None
    seconds: float
    calls: int
    refused: int


class RunParked(_Event, frozen=True, kw_only=True, tag="run_parked"):
    """The run stopped and is not over: `status` is `waiting` or `needs_attention`, `why` says for what.

    `running` when this process was cut off and the run goes on, here or elsewhere, `stopped` when another
    process carries it out.
    """

    run_id: str
    status: str
    why: str


Event: TypeAlias = (
    RunStarted
    | StateEntered
    | ModelAsked
    | ModelText
    | ModelRetried
    | ModelTurn
    | ModelFailed
    | OutputChecked
    | ToolCalled
    | ApprovalAsked
    | ApprovalDecided
    | ToolRetried
    | ToolReturned
    | ToolRefused
    | Retrieved
    | NotUndone
    | StateFailed
    | StateEnded
    | RunEnded
    | RunParked
)
#: Tells an observer of one event.
Emit: TypeAlias = Callable[[Event], None]


def as_data(event: Event) -> dict[str, object]:
    """The event as JSON data. What a model is told is left out: each turn would repeat all before it."""
    if isinstance(event, ModelAsked):
        event = msgspec.structs.replace(event, request=None)
    elif isinstance(event, ModelTurn):
        event = msgspec.structs.replace(event, response=None)
    data: dict[str, object] = msgspec.to_builtins(event)
    return data
