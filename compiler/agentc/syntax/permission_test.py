"""Kind `PermissionTest`: calls that must be allowed, refused, or ask."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, JsonValue, Strict, StringConstraints
from pydantic import WithJsonSchema as EditorSchema

from .common import Closed, Name, NonEmpty, Sensitivity, ToolName

Count: TypeAlias = Annotated[int, Strict(), Field(ge=0)]
Data: TypeAlias = dict[str, JsonValue]


def _as_expectation(value: object) -> object:
    return {"outcome": value} if isinstance(value, str) else value


class ExpectSpec(Closed):
    """What must become of a call. A word alone is the outcome."""

    outcome: Literal["allowed", "asks", "refused"]
    """`allowed`: nobody is asked. `asks`: a person has to agree."""
    rule: Annotated[str, StringConstraints(pattern=r"^AR[0-9]{3}$")] | None = None
    """The rule that refuses it."""
    by: tuple[Name, ...] | None = None
    """The groups that are asked; empty: anybody."""
    because: Literal["approval", "untrusted_to_effect"] | None = None
    """The key of the grant that asks."""


Expect = Annotated[
    ExpectSpec,
    BeforeValidator(_as_expectation),
    EditorSchema(
        {
            "anyOf": [
                {"enum": ["allowed", "asks", "refused"]},
                {
                    "type": "object",
                    "properties": {
                        "outcome": {"enum": ["allowed", "asks", "refused"]},
                        "rule": {"type": "string", "pattern": "^AR[0-9]{3}$"},
                        "by": {"type": "array", "items": {"type": "string"}},
                        "because": {"enum": ["approval", "untrusted_to_effect"]},
                    },
                    "required": ["outcome"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class ReadSpec(Closed):
    """The label of what the model has read in the state before the call."""

    trust: Literal["trusted", "typed", "untrusted"] = "trusted"
    """Who wrote it; `typed`: untrusted, and reduced to values without a sentence."""
    sensitivity: Sensitivity = "public"
    """Who may see it."""


class TracedSpec(Closed):
    """What `from` may find values in, besides the input, the session and the spec."""

    trusted: tuple[JsonValue, ...] = ()
    """Answers of tools that are labelled trusted."""
    approved: tuple[JsonValue, ...] = ()
    """Arguments of calls that a person approved."""


class UsedSpec(Closed):
    """How often the tool was called before."""

    per_run: Count = 0
    """In this run."""
    per_day: Count = 0
    """On this day."""


class CaseSpec(Closed):
    """One call and what must become of it."""

    name: NonEmpty
    """What it shows, in a few words."""
    tool: ToolName
    """The tool."""
    state: Name | None = None
    """The state. Left out: every state that has the tool; when none has it, every state that calls tools."""
    arguments: Data | None = None
    """The arguments that a model gives. Left out: what the `tool` state gives, else none."""
    read: ReadSpec = ReadSpec()
    """What was read before. What the state's texts hold and the grant binds counts as read anyway."""
    input: Data | None = None
    """The run's input. Left out: the test's."""
    session: Data | None = None
    """The run's session. Left out: the test's."""
    outputs: dict[Name, JsonValue] = {}
    """State → what it gave, for what the grant binds to `${states.…}`."""
    origins: TracedSpec = TracedSpec()
    """What the run has been told that counts for `from`."""
    used: UsedSpec = UsedSpec()
    """How often the tool was called before, for quotas."""
    expect: Expect
    """What must become of the call: `allowed`, `asks`, `refused`, or more about it."""


class PermissionTestSpec(Closed):
    """Calls of one agent, judged by the broker's own policy whenever the project is validated."""

    agent: Name
    """The agent."""
    input: Data | None = None
    """The input of the runs, for all cases that have none."""
    session: Data | None = None
    """The session of the runs, for all cases that have none."""
    cases: Annotated[tuple[CaseSpec, ...], Field(min_length=1)]
    """The calls."""
