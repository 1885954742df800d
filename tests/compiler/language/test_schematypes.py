"""What stands at a path of a schema, and which shapes fit which."""

import pytest

from agentc.schematypes import assignable, items_of, properties_of, type_at, types_of

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
DEFS = {"$defs": {"T": CLOSED, "L": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        ({}, ("a",), {}),
        (CLOSED, ("a",), {"type": "string"}),
        (CLOSED, ("b",), None),
        (CLOSED, ("a", "x"), None),
        ({"type": "object"}, ("b",), {}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, ("b",), {"type": "integer"}),
        ({"type": ["object", "null"], "properties": {"a": {"const": 1}}}, ("a",), {"const": 1}),
        ({"anyOf": [CLOSED, {"type": "string"}]}, ("a",), {"type": "string"}),
        ({"anyOf": [CLOSED, {"type": "string"}]}, ("b",), None),
        ({"allOf": [{"type": "object"}, CLOSED]}, ("b",), None),
        ({"allOf": [{"type": "object"}, CLOSED]}, ("a",), {"type": "string"}),
        ({"type": "object", "patternProperties": {".": {}}, "additionalProperties": False}, ("a",), {}),
        ({"properties": {"a": False}}, ("a",), None),
        ({"$ref": "#/$defs/none"}, ("a",), {}),
        ({"$ref": "https://elsewhere/x"}, ("a",), {}),
    ],
)
def test_type_at(schema: dict[str, object], path: tuple[str, ...], expected: object) -> None:
    assert type_at(schema, path) == expected


def test_references_are_followed_and_carried_on() -> None:
    schema = {**DEFS, "properties": {"t": {"$ref": "#/$defs/T"}, "l": {"$ref": "#/$defs/L"}}}
    found = type_at(schema, ("l",))
    assert found is not None
    assert type_at(items_of(found), ("a",)) == {**DEFS, "type": "string"}
    assert properties_of(items_of(found)) == {"a"}
    assert type_at(schema, ("t", "zzz")) is None


def test_a_schema_put_into_another_brings_its_definitions() -> None:
    outer = {"type": "object", "properties": {"x": {**DEFS, "$ref": "#/$defs/L"}}}
    found = type_at(outer, ("x",))
    assert found is not None
    assert type_at(items_of(found), ("b",)) is None


def test_a_composed_object_is_closed_by_unevaluated_properties() -> None:
    schema = {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}
    assert type_at(schema, ("a",)) == {}
    assert type_at(schema, ("b",)) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"},
        {"$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}] * 9}}, "$ref": "#/$defs/A"},
        {"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}] * 9}}, "$ref": "#/$defs/A"},
        {"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"$ref": "#"}]},
    ],
)
def test_schemas_that_refer_to_themselves_end(schema: dict[str, object]) -> None:
    type_at(schema, ("a", "a", "a"))
    types_of(schema)
    assert assignable(schema, schema) is not False


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "number"}, {"number", "integer"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"enum": ["a", 1, 2.5, None, True]}, {"string", "integer", "number", "null", "boolean"}),
        ({"const": 1.0}, {"integer"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["string", "array"]}]}, {"string"}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"string", "integer"}),
        (False, set()),
    ],
)
def test_types_of(schema: object, expected: set[str]) -> None:
    assert types_of(schema) == expected


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (STRING, {}, True),
        (STRING, STRING, True),
        (STRING, INTEGER, False),
        (INTEGER, {"type": "number"}, True),
        ({"type": "number"}, INTEGER, None),
        ({}, STRING, None),
        ({"type": ["string", "null"]}, STRING, None),
        (STRING, {"type": "string", "maxLength": 3}, None),
        ({"type": "array", "items": STRING}, {"type": "array", "items": STRING}, True),
        ({"type": "array", "items": STRING}, {"type": "array", "items": INTEGER}, None),
        (CLOSED, CLOSED, True),
        (CLOSED, {"type": "object", "required": ["b"]}, False),
        (CLOSED, {"type": "object", "required": ["a"]}, None),
        ({**CLOSED, "required": ["a"]}, {"type": "object", "required": ["a"]}, True),
        ({**CLOSED, "required": ["a"]}, {"type": "object", "properties": {"a": INTEGER}}, False),
        (CLOSED, {"type": "object", "properties": {"a": INTEGER}}, None),
        ({**CLOSED, "required": ["a"]}, {"type": "object", "additionalProperties": False}, False),
        ({"type": "object"}, CLOSED, None),
    ],
)
def test_assignable(source: dict[str, object], target: dict[str, object], expected: object) -> None:
    assert assignable(source, target) is expected
