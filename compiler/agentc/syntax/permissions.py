"""Kind `PermissionSet`: grants. What is not granted does not exist for an agent."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, JsonValue
from pydantic import WithJsonSchema as EditorSchema

from .common import (
    ArgumentLimit,
    Closed,
    Duration,
    JsonSchema,
    Name,
    NonEmpty,
    PositiveInt,
    Sensitivity,
    ToolName,
)


class ApprovalSpec(Closed):
    """A person has to agree."""

    by: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The approver groups of the project, any of which may answer."""
    when: dict[NonEmpty, JsonSchema] | None = None
    """Argument → schema: ask only for calls that satisfy all of them. Left out: always."""
    expires: Duration = "24h"
    """After this an unanswered question counts as rejected."""


class QuotaSpec(Closed):
    """How often."""

    per_run: PositiveInt | None = None
    """Calls in one run."""
    per_day: PositiveInt | None = None
    """Calls in one UTC day, over all runs of the agent."""


def _as_flow(value: object) -> object:
    return {"policy": value} if isinstance(value, str) else value


class FlowSpec(Closed):
    """What happens when untrusted content could cause an effect."""

    policy: Literal["deny", "approve", "allow"]
    """`deny` refuses, `approve` asks a person, `allow` needs a reason."""
    reason: NonEmpty | None = None
    """Why this is safe: reviewers see it."""


Flow = Annotated[
    FlowSpec,
    BeforeValidator(_as_flow),
    EditorSchema(
        {
            "anyOf": [
                {"enum": ["deny", "approve"]},
                {
                    "type": "object",
                    "properties": {
                        "policy": {"enum": ["deny", "approve", "allow"]},
                        "reason": {"type": "string", "minLength": 1},
                    },
                    "required": ["policy"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class GrantFlowSpec(FlowSpec):
    """What happens when untrusted content could cause a call of this tool."""

    unless: dict[NonEmpty, ArgumentLimit] | None = None
    """Argument → schema, `from` included: calls that set no other arguments, and these so, pass unasked."""
    max_sensitivity: Sensitivity = "internal"
    """`unless` holds while nothing more sensitive than this was read."""


GrantFlow = Annotated[
    GrantFlowSpec,
    BeforeValidator(_as_flow),
    EditorSchema(
        {
            "anyOf": [
                {"enum": ["deny", "approve"]},
                {
                    "type": "object",
                    "properties": {
                        "policy": {"enum": ["deny", "approve", "allow"]},
                        "reason": {"type": "string", "minLength": 1},
                        "unless": {"type": "object", "additionalProperties": {"x-agentc": "ArgumentLimit"}},
                        "max_sensitivity": {"enum": [*get_args(Sensitivity)]},
                    },
                    "required": ["policy"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class GrantSpec(Closed):
    """Leave to call one tool, inside limits."""

    tool: ToolName
    """The tool, as `toolset.tool`."""
    where: dict[NonEmpty, ArgumentLimit] = {}
    """Argument → schema that its value must satisfy. A limited argument must be present. `from` says where
    its value has to stand word for word: `input`, `session`, `spec` (the agent's prompts), `trusted` (answers
    of this run that are labelled trusted), `approved` (calls of this run that a person approved)."""
    bind: dict[NonEmpty, JsonValue] = {}
    """Argument → value or `${…}` reference. The model neither sees nor sets it."""
    approval: ApprovalSpec | None = None
    """When a person has to agree."""
    quota: QuotaSpec | None = None
    """How often."""
    untrusted_to_effect: GrantFlow | None = None
    """What happens when untrusted content could cause this call. Left out: what `flows` of the set says."""


class FlowsSpec(Closed):
    """Data flow rules of the set's grants."""

    untrusted_to_effect: Flow = FlowSpec(policy="approve")
    """A call that changes something, after untrusted content was read in the same state."""


class PermissionSetSpec(Closed):
    """A set of grants that agents name."""

    grants: Annotated[tuple[GrantSpec, ...], Field(min_length=1)]
    """The grants."""
    flows: FlowsSpec = FlowsSpec()
    """What untrusted content may cause."""
