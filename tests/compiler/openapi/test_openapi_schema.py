"""Schemas of OpenAPI 3.0 and 3.1 become self-contained JSON Schema: requests closed, answers open."""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.violations import compile_shape


def accepts(schema: dict[str, Any], value: object) -> bool:
    return compile_shape(schema).is_valid(value)


def whole(schema: object) -> dict[str, Any]:
    """An object with one property of that schema, so that it stays in one piece."""
    return {"type": "object", "properties": {"x": schema}}


@pytest.mark.parametrize(
    ("version", "given", "expected"),
    [
        ("3.0.3", {"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ("3.1.0", {"type": "string", "nullable": True}, {"type": "string"}),
        ("3.1.0", {"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ("3.0.3", {"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ("3.0.3", {"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ("3.1.0", {"exclusiveMaximum": 5, "maximum": 9}, {"exclusiveMaximum": 5, "maximum": 9}),
        ("3.0.3", {"type": "integer", "format": "int64"}, {"type": "integer"}),
        ("3.0.3", {"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ("3.0.3", {"type": "string", "example": "a", "xml": {}, "x-y": 1, "title": "T"}, {"type": "string"}),
        ("3.0.3", {"type": "string", "externalDocs": {}, "discriminator": {}}, {"type": "string"}),
        ("3.0.3", {"enum": ["a", 1, None]}, {"enum": ["a", 1, None]}),
        ("3.1.0", {"const": None}, {"const": None}),
        ("3.0.3", {"type": "string", "maxLength": 3.0}, {"type": "string", "maxLength": 3}),
        ("3.0.3", {"type": "string", "default": "a"}, {"type": "string", "default": "a"}),
        ("3.1.0", True, {}),
        ("3.1.0", {"type": "array", "prefixItems": [{"type": "string"}], "items": False}, ...),
    ],
)
def test_keywords_become_2020_12(body_schema: Any, version: str, given: Any, expected: Any) -> None:
    found = body_schema(whole(given), openapi=version)["properties"]["x"]
    assert found == (given if expected is ... else expected)


@pytest.mark.parametrize(
    "malformed",
    [
        {"minimum": "5"},
        {"maxLength": -1},
        {"required": True},
        {"enum": []},
        {"type": "file"},
        {"type": ["string", 3]},
        {"multipleOf": 0},
        {"uniqueItems": "yes"},
        {"pattern": 5},
        {"minItems": 1.5},
        {"pattern": "["},
        {"pattern": "(a{1000}){1000}"},
    ],
)
def test_malformed_keywords_are_left_out_with_a_note(compiled: Any, malformed: dict[str, Any]) -> None:
    body = {"content": {"application/json": {"schema": whole(malformed)}}, "required": True}
    operation = compiled({"requestBody": body})
    assert operation.arguments["properties"]["x"] == {}
    assert [note.code for note in operation.notes] == ["AC705"]
    assert operation.notes[0].pointer[-1] == next(iter(malformed))


def test_patterns_that_backtrack_run_in_bounded_time(body_schema: Any) -> None:
    schema = body_schema(whole({"type": "string", "pattern": "^(a+)+$"}))
    assert not accepts(schema, {"x": "a" * 5000 + "!"})


def test_objects_in_requests_are_closed_below_the_top_too(body_schema: Any) -> None:
    inner = {"type": "object", "properties": {"a": {"type": "array", "items": whole({"type": "string"})}}}
    schema = body_schema(whole(inner))
    assert accepts(schema, {"x": {"a": [{"x": "1"}]}})
    assert not accepts(schema, {"x": {"a": [{"x": "1", "admin": True}]}})
    assert not accepts(schema, {"x": {"b": 1}})
    assert not accepts(schema, {"y": 1})


@pytest.mark.parametrize(
    "free", [{"type": "object"}, {"type": "object", "properties": {"a": {}}, "additionalProperties": True}]
)
def test_objects_that_are_said_to_be_open_stay_open(body_schema: Any, free: Any) -> None:
    assert accepts(body_schema(whole(free)), {"x": {"anything": 1}})


def test_additional_properties_of_a_type_are_kept(body_schema: Any) -> None:
    schema = body_schema(whole({"type": "object", "additionalProperties": {"type": "integer"}}))
    assert accepts(schema, {"x": {"a": 1}})
    assert not accepts(schema, {"x": {"a": "1"}})


def test_a_whole_of_parts_is_closed_as_a_whole(body_schema: Any) -> None:
    parts = {"A": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}
    schema = body_schema(
        whole({"allOf": [{"$ref": "#/components/schemas/A"}, whole({"type": "integer"})]}),
        components={"schemas": parts},
    )
    assert accepts(schema, {"x": {"a": "1", "x": 1}})
    assert not accepts(schema, {"x": {"x": 1}})
    assert not accepts(schema, {"x": {"a": "1", "x": 1, "admin": True}})


def test_alternatives_are_no_looser_than_the_document(body_schema: Any) -> None:
    """Closing each alternative would let through what fits two of them, which `oneOf` forbids."""
    one = {"type": "object", "properties": {"a": {"type": "string"}}}
    two = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    schema = body_schema(whole({"oneOf": [one, two]}))
    assert not accepts(schema, {"x": {"a": "1", "b": "2"}})
    assert not accepts(schema, {"x": {"c": 1}})


def test_an_alternative_that_is_any_object_stays_one(body_schema: Any) -> None:
    named = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    schema = body_schema(whole({"anyOf": [named, {"type": "object", "maxProperties": 1}]}))
    assert accepts(schema, {"x": {"other": 1}})
    assert accepts(schema, {"x": {"a": "1"}})


def test_not_is_kept_as_it_is_written(body_schema: Any) -> None:
    """Closing or hiding below `not` would allow what the document forbids."""
    banned = {"type": "object", "properties": {"role": {"enum": ["admin"], "readOnly": True}}}
    schema = body_schema(
        whole({"type": "object", "not": {**banned, "required": ["role"]}, "additionalProperties": True})
    )
    assert not accepts(schema, {"x": {"role": "admin", "more": 1}})
    assert accepts(schema, {"x": {"role": "user"}})


def test_read_only_leaves_requests_and_write_only_leaves_answers(compiled: Any) -> None:
    pet = {
        "type": "object",
        "required": ["id", "name", "pin"],
        "properties": {
            "id": {"$ref": "#/components/schemas/Id"},
            "name": {"type": "string"},
            "pin": {"type": "string", "writeOnly": True},
        },
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}
    operation = compiled(
        {
            "requestBody": {"required": True, "content": content},
            "responses": {"200": {"description": "", "content": content}},
        },
        components={"schemas": {"Pet": pet, "Id": {"type": "integer", "readOnly": True}}},
    )
    assert list(operation.arguments["properties"]) == ["name", "pin"]
    assert operation.arguments["required"] == ["name", "pin"]
    assert accepts(operation.response, {"id": 1, "name": "a", "extra": True})
    assert not accepts(operation.response, {"name": "a"})
    assert "pin" not in operation.response["$defs"]["Pet"]["properties"]


def test_what_is_required_and_not_described_may_be_anything(body_schema: Any) -> None:
    schema = body_schema(whole({"type": "object", "properties": {"a": {}}, "required": ["b"]}))
    assert accepts(schema, {"x": {"b": 1}})
    assert not accepts(schema, {"x": {"a": 1}})


def test_reference_siblings_are_ignored_in_3_0_and_added_in_3_1(body_schema: Any) -> None:
    schemas = {"S": {"type": "string"}}
    node = {"$ref": "#/components/schemas/S", "maxLength": 1}
    old = body_schema(whole(node), components={"schemas": schemas})
    new = body_schema(whole(node), components={"schemas": schemas}, openapi="3.1.0")
    assert accepts(old, {"x": "long"})
    assert not accepts(new, {"x": "long"})
    assert accepts(new, {"x": "a"})


def test_reference_with_properties_beside_it_is_closed_as_a_whole(body_schema: Any) -> None:
    schemas = {"A": {"type": "object", "properties": {"a": {"type": "string"}}}}
    node = {"$ref": "#/components/schemas/A", "properties": {"b": {"type": "string"}}}
    schema = body_schema(whole(node), components={"schemas": schemas}, openapi="3.1.0")
    assert accepts(schema, {"x": {"a": "1", "b": "1"}})
    assert not accepts(schema, {"x": {"c": "1"}})


def test_cycles_are_kept_and_checked(body_schema: Any) -> None:
    node = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        },
    }
    schema = body_schema({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})
    assert accepts(schema, {"name": "a", "children": [{"children": [{"name": "b"}]}]})
    assert not accepts(schema, {"children": [{"children": [{"nam": "b"}]}]})


def test_definitions_of_one_name_are_told_apart(body_schema: Any) -> None:
    schema = body_schema(
        {
            "type": "object",
            "properties": {
                "a": {"$ref": "#/components/schemas/Id"},
                "b": {"$ref": "#/components/schemas/Box/properties/Id"},
            },
        },
        components={
            "schemas": {
                "Id": {"type": "string"},
                "Box": {"type": "object", "properties": {"Id": {"type": "integer"}}},
            }
        },
    )
    assert accepts(schema, {"a": "1", "b": 1})
    assert not accepts(schema, {"a": 1})
    assert not accepts(schema, {"b": "1"})


def test_answers_are_read_as_they_are_meant(compiled: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "format": "uri", "description": "long"},
            "state": {"type": "string", "enum": ["open"], "nullable": True},
            "owner": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Owner"}]},
        },
    }
    content = {"application/json": {"schema": schema}}
    operation = compiled(
        {"responses": {"200": {"description": "", "content": content}}},
        components={"schemas": {"Owner": {"type": "object", "properties": {"id": {"type": "integer"}}}}},
    )
    assert accepts(operation.response, {"url": "/{x}", "state": None, "owner": None, "new": 1})
    assert not accepts(operation.response, {"owner": {"id": "1"}})
    assert operation.response["properties"]["url"] == {"type": "string"}


def test_long_descriptions_are_cut_with_a_marker(body_schema: Any) -> None:
    found = body_schema(whole({"description": "a" * 2000}))["properties"]["x"]["description"]
    assert len(found) == 500
    assert found.endswith("…")


@pytest.mark.parametrize("schema", ["text", 5, ["a"], None, {"properties": []}, {"allOf": {}}])
def test_what_is_no_schema_stops_the_operation(problems: Any, schema: Any) -> None:
    """Read as "anything" it would let a model send anything."""
    content = {"application/json": {"schema": whole(schema)}}
    found = problems({"requestBody": {"required": True, "content": content}})
    assert [problem.code for problem in found] == ["AC705"]
