"""Made-up values fit their schemas, are the same each time, and end whatever the schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentc.mock.patterns import text_of
from agentc.mock.values import Maker
from agentc_runtime.violations import compile_shape

NODE = {
    "type": "object",
    "properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "integer"}},
    "required": ["v"],
}
SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 12, "maxLength": 13},
    {"type": "string", "pattern": "^T-[0-9]{3,5}$"},
    {"type": "string", "pattern": "^(?:red|green)\\\\.[a-f]+$".replace("\\\\", "\\")},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "uuid"},
    {"type": "integer", "minimum": 5, "exclusiveMaximum": 7},
    {"type": "integer", "minimum": 7, "multipleOf": 5},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
    {"type": "integer", "maximum": -3},
    {"type": ["null", "boolean"]},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "uniqueItems": True},
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer"}}}]},
    {"oneOf": [{"type": "null"}, {"type": "integer"}]},
    {"const": {"a": 1}},
    {"$defs": {"n": NODE}, "$ref": "#/$defs/n"},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_values_fit_and_are_steady(schema: dict[str, Any], seed: str) -> None:
    value = Maker(schema, seed).value(schema)
    assert compile_shape(schema).is_valid(value), value
    assert Maker(schema, seed).value(schema) == value


def test_what_the_author_wrote_comes_first() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "example": "mine"}, "b": {"default": 4}},
    }
    assert Maker(schema, "s").value(schema) == {"a": "mine", "b": 4}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"n": {**NODE, "required": ["next"]}}, "$ref": "#/$defs/n"},
        {"$defs": {"n": {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}}, "$ref": "#/$defs/n"},
        {"type": "array", "minItems": 10**9, "items": {"type": "integer"}},
        {"type": "string", "minLength": 10**12},
        {"type": "object", "minProperties": 10**9},
        {"$ref": "#/gone"},
        {"$ref": "/etc/passwd"},
        {"type": 7, "properties": [], "required": 3, "enum": {}},
    ],
    ids=json.dumps,
)
def test_hostile_schemas_end(schema: dict[str, Any]) -> None:
    assert len(json.dumps(Maker(schema, "s").value(schema))) < 100_000


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a{", "(?=x)", "[^a]", "a{99999999}", "(" * 300, "\\", "a**", "[z-a]"]
)
def test_odd_patterns_end(pattern: str) -> None:
    text = text_of(pattern, lambda count: 0)
    assert text is None or len(text) < 5_000
