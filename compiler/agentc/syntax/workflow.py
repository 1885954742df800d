"""The states of a workflow."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, Strict

from .common import Closed, ErrorClass, JsonSchema, Name, NonEmpty, OutputSpec, Prompt, RetrySpec, ToolName


class CatchSpec(Closed):
    """Where to go when the state fails."""

    errors: Annotated[tuple[ErrorClass, ...], Field(min_length=1)] = ("any",)
    """The classes of errors that are caught."""
    next: Name
    """The state to go to."""


class _Fallible(Closed):
    next: Name
    """The state to go to."""
    retry: RetrySpec | None = None
    """When to try the state again."""
    catch: tuple[CatchSpec, ...] = ()
    """Where to go when it fails for good; the first match wins."""


class AgentStateSpec(_Fallible):
    """A model loop over tools: it ends when the model answers without calling one."""

    type: Literal["agent"]
    """`agent`."""
    instructions: Prompt | None = None
    """The system prompt. Left out: the agent's."""
    prompt: Prompt | None = None
    """The first message. Left out: the input as JSON."""
    tools: tuple[ToolName, ...]
    """The tools of this state, and no others."""
    model: Name | None = None
    """The model's alias. Left out: the agent's."""
    fallbacks: tuple[Name, ...] | None = None
    """Models to try when the first one fails. Left out: the agent's."""
    turns: Annotated[int, Strict(), Field(ge=1, le=200)] = 12
    """The most model turns."""
    output: OutputSpec | None = None
    """The schema of the answer. Left out: text."""


class ModelStateSpec(_Fallible):
    """One completion without tools."""

    type: Literal["model"]
    """`model`."""
    instructions: Prompt | None = None
    """The system prompt. Left out: the agent's."""
    prompt: Prompt
    """The message."""
    model: Name | None = None
    """The model's alias. Left out: the agent's."""
    fallbacks: tuple[Name, ...] | None = None
    """Models to try when the first one fails. Left out: the agent's."""
    output: OutputSpec | None = None
    """The schema of the answer. Left out: text."""


class ToolStateSpec(_Fallible):
    """A deterministic call, through the same checks as a model's."""

    type: Literal["tool"]
    """`tool`."""
    tool: ToolName
    """The tool."""
    arguments: dict[NonEmpty, JsonValue] = {}
    """Argument → value or `${…}` reference."""


class ChoiceSpec(Closed):
    """One branch."""

    value: NonEmpty
    """The value to look at, as a `${…}` reference."""
    when: JsonSchema
    """The schema that it must satisfy."""
    next: Name
    """The state to go to."""


class ChoiceStateSpec(Closed):
    """The first branch that holds."""

    type: Literal["choice"]
    """`choice`."""
    choices: Annotated[tuple[ChoiceSpec, ...], Field(min_length=1)]
    """The branches, in order."""
    default: Name | None = None
    """The state to go to when no branch holds."""


class EndStateSpec(Closed):
    """The run is over."""

    type: Literal["end"]
    """`end`."""
    output: JsonValue = None
    """The result: a value or `${…}` reference, or an object of them."""


StateSpec: TypeAlias = Annotated[
    AgentStateSpec | ModelStateSpec | ToolStateSpec | ChoiceStateSpec | EndStateSpec,
    Field(discriminator="type"),
]


class WorkflowSpec(Closed):
    """A state machine."""

    start: Name
    """The first state."""
    states: Annotated[dict[Name, StateSpec], Field(min_length=1)]
    """The states, by name."""
