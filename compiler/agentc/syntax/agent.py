"""Kind `Agent`: a program that may call tools."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from .common import Closed, DataSpec, Duration, Money, Name, OutputSpec, PositiveInt, Prompt
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


class AgentSpec(Closed):
    """What comes in, what goes out, and what happens in between."""

    model: Name
    """The alias of an approved model."""
    fallbacks: tuple[Name, ...] = ()
    """Models to try, in order, when the first one fails."""
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
    workflow: WorkflowSpec | None = None
    """The states. Left out: one `agent` state with every granted tool."""
