"""Kind `Agent`: a program that may call tools."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, Strict

from .common import Closed, DataSpec, Duration, Money, Name, NonEmpty, OutputSpec, PositiveInt, Prompt
from .workflow import WorkflowSpec


class LimitsSpec(Closed):
    """Bounds of one run."""

    steps: Annotated[int, Strict(), Field(ge=1, le=10_000)] = 50
    """States entered."""
    tokens: PositiveInt | None = None
    """Input and output tokens of all model turns."""
    cost_usd: Money | None = None
    """US dollars of all model turns."""
    time: Duration = "10m"
    """How long a run may take."""
    calls_per_turn: Annotated[int, Strict(), Field(ge=1, le=64)] = 16
    """Tool calls of one model turn that are carried out."""
    cost_per_session_usd: Money | None = None
    """US dollars of all runs of a session, which `session_key` names."""
    cost_per_tenant_usd: Money | None = None
    """US dollars of all runs of a tenant, which `tenant_key` names, in a UTC day."""
    cost_per_day_usd: Money | None = None
    """US dollars of all runs of the agent in a UTC day."""
    session_key: NonEmpty | None = None
    """The field of the agent's session that says which session a run belongs to."""
    tenant_key: NonEmpty | None = None
    """The field of the agent's session that says which tenant a run is for."""


Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class LatencySpec(Closed):
    """How long runs may take, people included: half of them, and all but the slowest twentieth."""

    p50: Duration | None = None
    """Of half of the runs."""
    p95: Duration | None = None
    """Of 95 in 100 runs."""


class SlosSpec(Closed):
    """Objectives for runs in production. `agentc dashboards` draws them, and alerts when one is not met."""

    window: Duration = "1h"
    """Over how long each is measured."""
    latency: LatencySpec = LatencySpec()
    """How long runs take."""
    success: Share | None = None
    """Share of runs that succeed, at least: `0.99`."""
    tool_success: Share | None = None
    """Share of the allowed tool calls that are answered, at least."""
    valid_output: Share | None = None
    """Share of structured answers that fit their schema at the first try, at least."""
    refusals: Share | None = None
    """Share of tool calls that are refused, at most."""
    approvals_waiting: PositiveInt | None = None
    """Approvals that wait at a time, at most."""
    approval_time: Duration | None = None
    """How long people take to decide, in 95 of 100 cases."""
    cost_per_success_usd: Money | None = None
    """US dollars that all runs cost, for each that succeeds, at most."""
    tokens_per_run: PositiveInt | None = None
    """Input and output tokens of a run on average, at most."""
    eval_drift: Share | None = None
    """How far the pass rate of an eval may fall below its average of 30 days."""


class AgentSpec(Closed):
    """What comes in, what goes out, and what happens in between."""

    model: Name
    """The alias of an approved model."""
    fallbacks: tuple[Name, ...] = ()
    """Models to try, in order, when the first one fails."""
    escalate_to: Name | None = None
    """A larger model, which a state asks once an answer could not be used: it was no JSON, did not fit the
    output schema, or was cut off."""
    instructions: Prompt
    """The system prompt."""
    input: DataSpec
    """What a run is asked."""
    session: DataSpec | None = None
    """Who it is for: set by the caller's system, never by a model."""
    output: OutputSpec | None = None
    """The schema of the result. Left out: text."""
    permissions: tuple[Name, ...] = ()
    """The PermissionSets whose grants the agent has."""
    limits: LimitsSpec = LimitsSpec()
    """Bounds of one run."""
    slos: SlosSpec | None = None
    """Objectives for runs in production."""
    workflow: WorkflowSpec | None = None
    """The states. Left out: one `agent` state with every granted tool."""
