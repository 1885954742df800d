"""The states of a workflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, Strict

from .common import (
    Closed,
    Duration,
    ErrorClass,
    JsonSchema,
    Name,
    NonEmpty,
    OutputSpec,
    Prompt,
    RetrySpec,
    Sensitivity,
    ToolName,
    Trust,
)


class CatchSpec(Closed):
    """Where to go when the state fails."""

    errors: Annotated[tuple[ErrorClass, ...], Field(min_length=1)] = ("any",)
    """The classes of errors that are caught."""
    next: Name
    """The state to go to."""
    undo: bool = False
    """Undo first what was done so far, the last effect first. In a branch: what the branch has done."""


class CatchingState(Closed):
    """What states have that may fail."""

    next: Name
    """The state to go to."""
    catch: tuple[CatchSpec, ...] = ()
    """Where to go when it fails for good; the first match wins."""


class FallibleState(CatchingState):
    """What states have that may be tried again."""

    retry: RetrySpec | None = None
    """When to try the state again."""
    timeout: Duration | None = None
    """How long one attempt may take. Left out: as long as the run may."""


class AgentStateSpec(FallibleState):
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
    escalate_to: Name | None = None
    """The model that is asked once an answer could not be used. Left out: the agent's."""
    fallbacks: tuple[Name, ...] | None = None
    """Models to try when the first one fails. Left out: the agent's."""
    turns: Annotated[int, Strict(), Field(ge=1, le=200)] = 12
    """The most model turns."""
    output: OutputSpec | None = None
    """The schema of the answer. Left out: text."""


class ModelStateSpec(FallibleState):
    """One completion without tools."""

    type: Literal["model"]
    """`model`."""
    instructions: Prompt | None = None
    """The system prompt. Left out: the agent's."""
    prompt: Prompt
    """The message."""
    model: Name | None = None
    """The model's alias. Left out: the agent's."""
    escalate_to: Name | None = None
    """The model that is asked once an answer could not be used. Left out: the agent's."""
    fallbacks: tuple[Name, ...] | None = None
    """Models to try when the first one fails. Left out: the agent's."""
    output: OutputSpec | None = None
    """The schema of the answer. Left out: text."""


class ToolStateSpec(FallibleState):
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


class BranchSpec(Closed):
    """A workflow inside a state. It is over at an `end`, whose output is the branch's."""

    start: Name
    """The first state."""
    states: Annotated[dict[Name, StateSpec], Field(min_length=1)]
    """The states, by name. No other state of the agent has such a name."""


class ParallelStateSpec(FallibleState):
    """Branches at the same time."""

    type: Literal["parallel"]
    """`parallel`."""
    branches: Annotated[dict[Name, BranchSpec], Field(min_length=2, max_length=100)]
    """The branches, by name. They know what was known before, and nothing of each other."""
    wait: Literal["all", "any"] | Annotated[int, Strict(), Field(ge=1, le=100)] = "all"
    """How many have to succeed. `all`: the output is an object, branch → its output. `any`: it is that of the
    first that succeeds. A number: the list of that many outputs. What is not waited for is cancelled."""


class MapStateSpec(FallibleState):
    """The same workflow for each item of a list. It reads its item as `${states.NAME.item}`."""

    type: Literal["map"]
    """`map`."""
    over: NonEmpty
    """The list, as a `${…}` reference."""
    start: Name
    """The first state for an item."""
    states: Annotated[dict[Name, StateSpec], Field(min_length=1)]
    """The states, by name. No other state of the agent has such a name."""
    concurrency: Annotated[int, Strict(), Field(ge=1, le=100)] = 4
    """How many items at the same time."""
    max_items: Annotated[int, Strict(), Field(ge=1, le=10_000)] = 100
    """The longest list."""
    failures: Literal["any"] | Annotated[int, Strict(), Field(ge=0, le=10_000)] = 0
    """How many items may fail before the state does. They are listed in the output's `failed`."""


class ApprovalStateSpec(CatchingState):
    """A person is asked whether to go on. The output says who answered, in `by`, and `reason`."""

    type: Literal["approval"]
    """`approval`."""
    message: Prompt
    """What is asked."""
    show: dict[NonEmpty, JsonValue] = {}
    """What the person sees besides: name → value or `${…}` reference."""
    by: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The approver groups of the project, any of which may answer."""
    expires: Duration = "24h"
    """How long to wait for an answer."""
    rejected: Name | None = None
    """The state to go to after a no. Left out: the state fails with the class `refused`."""
    expired: Name | None = None
    """The state to go to when nobody answers in time. Left out: the state fails with the class `refused`."""


class RetrievedSpec(Closed):
    """What is known of the passages."""

    trust: Trust = "untrusted"
    """Who wrote them. What anybody outside can write is `untrusted`."""
    sensitivity: Sensitivity = "internal"
    """Who may see them."""


class RetrieveStateSpec(FallibleState):
    """Passages from a retriever that the deployer registers. The output has them in `passages`, each with
    `text`, `source` and `score`."""

    type: Literal["retrieve"]
    """`retrieve`."""
    retriever: Name
    """The name under which it is registered."""
    query: JsonValue
    """What is looked for: a text or a `${…}` reference to one."""
    top: Annotated[int, Strict(), Field(ge=1, le=100)] = 5
    """The most passages."""
    max_sensitivity: Sensitivity = "internal"
    """The most sensitive data that the query may hold."""
    output: RetrievedSpec = RetrievedSpec()
    """The label of the passages."""


class VerifyStateSpec(CatchingState):
    """A value passes, and is the output, or the state fails with the class `unverified`."""

    model_config = ConfigDict(populate_by_name=True)

    type: Literal["verify"]
    """`verify`."""
    value: NonEmpty
    """The value, as a `${…}` reference."""
    schema_: Annotated[JsonSchema | None, Field(alias="schema")] = None
    """The JSON Schema that it has to satisfy."""
    quotes: NonEmpty | None = None
    """What has to stand word for word in one of the `grounds`: a text or a list of them, as a reference."""
    grounds: tuple[NonEmpty, ...] = ()
    """The sources, as `${…}` references."""


class HandoffStateSpec(FallibleState):
    """Another agent of the project works on it, with its own states, permissions and limits. What it may do
    is within what this agent is granted. The output is its result."""

    type: Literal["handoff"]
    """`handoff`."""
    agent: Name
    """The agent."""
    input: dict[NonEmpty, JsonValue] = {}
    """Its input: name → value or `${…}` reference. Its session is the caller's, as far as it declares one."""


class EndStateSpec(Closed):
    """The run is over, or the branch."""

    type: Literal["end"]
    """`end`."""
    output: JsonValue = None
    """The result: a value or `${…}` reference, or an object of them."""


StateSpec: TypeAlias = Annotated[
    AgentStateSpec
    | ModelStateSpec
    | ToolStateSpec
    | ChoiceStateSpec
    | ParallelStateSpec
    | MapStateSpec
    | ApprovalStateSpec
    | RetrieveStateSpec
    | VerifyStateSpec
    | HandoffStateSpec
    | EndStateSpec,
    Field(discriminator="type"),
]


class WorkflowSpec(Closed):
    """A state machine."""

    undo_on_failure: bool = False
    """When the run fails, undo what it has done, the last effect first, by the `undo` of the tools."""
    start: Name
    """The first state."""
    states: Annotated[dict[Name, StateSpec], Field(min_length=1)]
    """The states, by name."""


def bodies(spec: StateSpec) -> Iterator[tuple[str, tuple[str, ...], BranchSpec | MapStateSpec]]:
    """The workflows inside a state: the branch's name, empty for a map's, and the path of it."""
    if isinstance(spec, ParallelStateSpec):
        for name, branch in spec.branches.items():
            yield name, ("branches", name), branch
    elif isinstance(spec, MapStateSpec):
        yield "", (), spec
