"""Runs as clients see them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from pydantic import BaseModel, JsonValue, TypeAdapter

from agentc_runtime.durable import views

Status: TypeAlias = Literal[
    "queued", "running", "waiting", "needs_attention", "succeeded", "failed", "cancelled"
]


class PositionView(BaseModel):
    """A line of a spec."""

    file: str
    line: int


class RefusalView(BaseModel):
    """Why something was refused: the rule, the value, the spec line."""

    code: str
    message: str
    value: JsonValue = None
    path: str = ""
    at: PositionView | None = None


class RunView(BaseModel):
    """A run. `why` says what it waits for; `output` is there when it succeeded, `refusal` when it failed."""

    run_id: str
    agent: str
    version: str
    bundle: str
    environment: str
    status: Status
    why: str
    started: str
    ended: str | None
    output: JsonValue = None
    refusal: RefusalView | None = None


class StepView(BaseModel):
    """A state that ended."""

    step: int
    state: str
    status: str
    time: str


class CallView(BaseModel):
    """A call that was sent. `outcome` is `returned`, `refused` with its rule, or `unknown`."""

    call_id: str
    tool: str
    effect: str
    arguments: dict[str, JsonValue]
    claimed: str
    settled: str | None
    outcome: str


class RunDetailView(RunView):
    """A run with what it has done."""

    steps: list[StepView]
    calls: list[CallView]


class RunList(BaseModel):
    """Runs, the newest first."""

    runs: list[RunView]


_RUN = TypeAdapter(RunView)
_DETAIL = TypeAdapter(RunDetailView)


def run_view(run: views.RunView) -> RunView:
    """The run as clients see it."""
    return _RUN.validate_python(msgspec.to_builtins(run))


def detail_view(detail: views.RunDetail) -> RunDetailView:
    """The run and what it has done, as clients see it."""
    data = msgspec.to_builtins(detail)
    return _DETAIL.validate_python({**data["run"], "steps": data["steps"], "calls": data["calls"]})
