"""What a run tells its observers, in order: the transcript, the `--format json` lines, later the stream."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from .bundle import Label
from .models.types import Usage
from .refusals import Refusal


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    pass


class RunStarted(_Event, frozen=True, kw_only=True, tag="run_started"):
    """A run of `agent` began on the bundle with the digest `bundle`."""

    run_id: str
    agent: str
    version: str
    bundle: str
    environment: str
    replay: bool


class StateEntered(_Event, frozen=True, kw_only=True, tag="state_entered"):
    """The workflow entered a state. `step` counts from 1 over the run; `attempt` over its retries."""

    state: str
    type: str
    step: int
    attempt: int = 1


class ModelTurn(_Event, frozen=True, kw_only=True, tag="model_turn"):
    """A model turn ended. `cost_usd` is a decimal string, `None` when the model has no prices."""

    state: str
    model: str
    text: str
    calls: int
    usage: Usage
    cost_usd: str | None
    seconds: float


class ModelFailed(_Event, frozen=True, kw_only=True, tag="model_failed"):
    """A model did not answer. `next` is the fallback that is asked instead, `None` if there is none."""

    state: str
    model: str
    message: str
    next: str | None


class ModelText(_Event, frozen=True, kw_only=True, tag="model_text"):
    """A piece of a model's answer, as it arrives."""

    state: str
    text: str


class ToolCalled(_Event, frozen=True, kw_only=True, tag="tool_called"):
    """A tool call is about to be decided. `arguments` are the model's, not yet checked."""

    state: str
    tool: str
    call_id: str
    arguments: str


class ApprovalAsked(_Event, frozen=True, kw_only=True, tag="approval_asked"):
    """A person is asked. `reasons` say why, each with its spec line."""

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


class ToolRefused(_Event, frozen=True, kw_only=True, tag="tool_refused"):
    """The broker refused the call, or it failed."""

    state: str
    tool: str
    call_id: str
    refusal: Refusal


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


Event: TypeAlias = (
    RunStarted
    | StateEntered
    | ModelText
    | ModelTurn
    | ModelFailed
    | ToolCalled
    | ApprovalAsked
    | ApprovalDecided
    | ToolReturned
    | ToolRefused
    | StateFailed
    | StateEnded
    | RunEnded
)
