"""What all kinds share: metadata, names, durations, JSON Schemas and references as authors write them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, Strict, StringConstraints
from pydantic import WithJsonSchema as EditorSchema

from agentc_runtime.bundle import Origin

API_VERSION = "agentc/v1"


class Closed(BaseModel):
    """Base of every model of the language: immutable, and closed against keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
ToolName: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}\.[a-zA-Z][a-zA-Z0-9_-]{0,62}$")
]
LocalToolName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,62}$")]
VariableName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
NonEmpty: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Int: TypeAlias = Annotated[int, Strict()]
PositiveInt: TypeAlias = Annotated[int, Strict(), Field(ge=1)]
Bool: TypeAlias = Annotated[bool, Strict()]
#: `500ms`, `30s`, `5m`, `24h`, `7d`.
Duration: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$")]
RuleCode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^AC[0-9]{3}$")]
Trust: TypeAlias = Literal["trusted", "untrusted"]
Sensitivity: TypeAlias = Literal["public", "internal", "confidential", "restricted"]
Effect: TypeAlias = Literal["read", "create", "update", "delete", "send"]
ErrorClass: TypeAlias = Literal[
    "tool_error", "model_error", "invalid_output", "unverified", "refused", "timeout", "limit", "any"
]

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(duration: str) -> int:
    """The length of a `Duration` in milliseconds."""
    match = re.fullmatch(r"(\d+)([a-z]+)", duration)
    assert match is not None
    return int(match[1]) * _MILLISECONDS[match[2]]


def _as_decimal(value: object) -> object:
    """A price written as a number or as a string becomes its decimal text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    return format(value, "f").rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


#: US dollars, as a number or a decimal string.
Money: TypeAlias = Annotated[
    str,
    BeforeValidator(_as_decimal),
    StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$"),
    EditorSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,12})?$"},
            ]
        }
    ),
]

_SCHEMA: JsonValue = {"$ref": "#/$defs/JsonSchema"}
_NUMBER: JsonValue = {"type": "number"}
_COUNT: JsonValue = {"type": "integer", "minimum": 0}
_TEXT: JsonValue = {"type": "string"}
_SCHEMAS: JsonValue = {"type": "array", "items": _SCHEMA, "minItems": 1}
_SCHEMA_MAP: JsonValue = {"type": "object", "additionalProperties": _SCHEMA}
_TYPE: JsonValue = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}
_FORMAT: JsonValue = {
    "enum": ["date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"]
}

_KEYWORDS: dict[str, JsonValue] = {
    "type": {"anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1}]},
    "const": True,
    "enum": {"type": "array", "minItems": 1},
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "multipleOf": _NUMBER,
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "pattern": {"type": "string", "description": "An anchored ECMA pattern without look-around."},
    "format": _FORMAT,
    "items": _SCHEMA,
    "prefixItems": _SCHEMAS,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": {"type": "boolean"},
    "properties": _SCHEMA_MAP,
    "required": {"type": "array", "items": _TEXT},
    "additionalProperties": _SCHEMA,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "not": _SCHEMA,
    "title": _TEXT,
    "description": _TEXT,
    "default": True,
    "examples": {"type": "array"},
    "$defs": _SCHEMA_MAP,
    "$ref": _TEXT,
}

#: The definition that `kinds.schema_of` puts where a model says `JsonSchema`.
JSON_SCHEMA_DEFINITION: JsonValue = {
    "description": "A JSON Schema of the closed subset that agentc decides.",
    "anyOf": [
        {"type": "boolean"},
        {"type": "object", "properties": _KEYWORDS, "additionalProperties": False},
    ],
}

#: What the limit of an argument may say besides: where its value has to come from.
ARGUMENT_LIMIT_DEFINITION: JsonValue = {
    "description": "A JSON Schema of the closed subset, and the origins of the argument's value.",
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {
                **_KEYWORDS,
                "from": {
                    "description": "Where the value has to stand word for word.",
                    "type": "array",
                    "items": {"enum": [*get_args(Origin)]},
                    "minItems": 1,
                    "uniqueItems": True,
                },
            },
            "additionalProperties": False,
        },
    ],
}

#: A JSON Schema of the closed subset; the compiler's own checks report what is wrong inside.
JsonSchema: TypeAlias = Annotated[dict[str, JsonValue], EditorSchema({"x-agentc": "JsonSchema"})]
#: The same for an argument, with `from`.
ArgumentLimit: TypeAlias = Annotated[dict[str, JsonValue], EditorSchema({"x-agentc": "ArgumentLimit"})]


def _as_prompt(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class PromptFile(Closed):
    """A Jinja template: written here as a string, or in a file of the project."""

    text: str | None = None
    """The template itself."""
    file: NonEmpty | None = None
    """The path of the template's file, relative to the project's root."""


Prompt: TypeAlias = Annotated[
    PromptFile,
    BeforeValidator(_as_prompt),
    EditorSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"file": {"type": "string", "minLength": 1}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ],
            "description": "A Jinja template, or the file that holds it.",
        }
    ),
]


class Metadata(Closed):
    """Who a resource is and who answers for it."""

    name: Name
    """The resource's name, unique in its kind."""
    version: Annotated[
        str,
        StringConstraints(
            pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
        ),
    ]
    """A semantic version, such as `1.2.0`."""
    owner: NonEmpty
    """The team or person who answers for it."""
    description: str = ""
    """What it is for, in a sentence."""


class DataSpec(Closed):
    """Data that comes in or goes out, with its schema and its label."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: Annotated[JsonSchema, Field(alias="schema")]
    """The JSON Schema that the data must satisfy. Properties that it does not name are refused."""
    trust: Trust = "trusted"
    """Who wrote it: `untrusted` content never causes an effect without an approval."""
    sensitivity: Sensitivity = "internal"
    """Who may see it."""


class OutputSpec(Closed):
    """A result and its schema."""

    schema_: Annotated[JsonSchema, Field(alias="schema")]
    """The JSON Schema that the result must satisfy."""


class RetrySpec(Closed):
    """Try again, with exponential backoff and full jitter."""

    max_attempts: Annotated[int, Strict(), Field(ge=1, le=10)] = 3
    """How often at most, the first try included."""
    backoff: Duration = "500ms"
    """The wait before the second try; it doubles from then on."""
    max_backoff: Duration = "30s"
    """The longest wait."""
    errors: Annotated[tuple[ErrorClass, ...], Field(min_length=1)] = ("any",)
    """Which errors are worth another try."""
