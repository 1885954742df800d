"""Schemas that are found by `$id`, `$anchor`, `$dynamicRef` and `$recursiveRef`: as the JSON Schema library
that is the oracle here finds them, or refused at their place."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from agentc_runtime.violations import compile_shape

TREE = {"type": "object", "properties": {"data": {"type": "string"}, "children": {"type": "array"}}}


def tree(reference: dict[str, Any], **rest: Any) -> dict[str, Any]:
    items = {"type": "array", "items": reference}
    properties = {"data": {"type": "string"}, "children": items}
    return {"type": "object", "additionalProperties": False, "properties": properties, **rest}


GOOD = {"data": "a", "children": [{"data": "b", "children": [{"children": []}]}]}
BAD = {"data": "a", "children": [{"data": "b", "children": [{"data": 5}]}]}


@pytest.mark.parametrize(
    "schema",
    [
        tree({"$ref": "#node"}, **{"$anchor": "node"}),
        tree({"$ref": "#node"}, **{"$dynamicAnchor": "node"}),
        tree({"$dynamicRef": "#node"}, **{"$dynamicAnchor": "node"}),
        tree({"$dynamicRef": "#node"}, **{"$anchor": "node"}),
        tree({"$dynamicRef": "#node", "description": "again"}, **{"$dynamicAnchor": "node"}),
        tree({"$ref": "https://x.example/tree"}, **{"$id": "https://x.example/tree"}),
        tree({"$ref": "https://x.example/tree#n"}, **{"$id": "https://x.example/tree", "$anchor": "n"}),
        tree({"$ref": "#"}, **{"$id": "https://x.example/tree"}),
        tree(
            {"$ref": "#/$defs/a~1%25"},
            **{"$id": "https://x.example/t", "$defs": {"a/%": {"$ref": "https://x.example/t"}}},
        ),
    ],
)
def test_a_tree_refers_to_itself_by_name(body_schema: Any, schema: dict[str, Any]) -> None:
    root = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    arguments = body_schema(root, openapi="3.1.0", components={"schemas": {"Tree": schema, "Other": {}}})
    ours = compile_shape(arguments)
    theirs = jsonschema.Draft202012Validator(schema)
    for value, good in ((GOOD, True), (BAD, False)):
        assert theirs.is_valid(value) is good
        assert ours.is_valid({"body": [value]}) is good


@pytest.mark.parametrize("name", [{"$id": "https://x.example/t"}, {}])
def test_a_recursive_reference_means_what_stands_around_it(body_schema: Any, name: dict[str, str]) -> None:
    schema = tree({"$recursiveRef": "#"}, **{"$recursiveAnchor": True}, **name)
    root = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    ours = compile_shape(body_schema(root, openapi="3.1.0", components={"schemas": {"Tree": schema}}))
    oracle = jsonschema.Draft201909Validator(schema)
    for value, good in ((GOOD, True), (BAD, False)):
        assert oracle.is_valid(value) is good
        assert ours.is_valid({"body": [value]}) is good


def test_an_anchor_of_another_component_is_reached(body_schema: Any) -> None:
    schemas = {"A": {"$anchor": "there", "type": "integer"}, "B": {"$anchor": "b", "type": "null"}}
    arguments = body_schema({"type": "array", "items": {"$ref": "#there"}}, openapi="3.1.0", **_in(schemas))
    assert compile_shape(arguments).is_valid({"body": [1]})
    assert not compile_shape(arguments).is_valid({"body": ["1"]})


def test_a_property_may_have_the_name_of_a_keyword(body_schema: Any) -> None:
    names = {"$id": {"type": "string"}, "$anchor": {"type": "string"}, "$dynamicRef": {"type": "string"}}
    arguments = body_schema({"type": "object", "properties": names}, openapi="3.1.0")
    assert compile_shape(arguments).is_valid({"$id": "a"} | {"_anchor": "b"}) or "id" in str(arguments)


@pytest.mark.parametrize(
    ("items", "schemas", "code", "step"),
    [
        ({"$ref": "#gone"}, {}, "AC704", "$ref"),
        ({"$ref": "#two"}, {"A": {"$anchor": "two"}, "B": {"$anchor": "two"}}, "AC704", "$ref"),
        ({"$ref": "https://x.example/gone"}, {"A": {"$id": "https://x.example/a"}}, "AC708", "$ref"),
        ({"$dynamicRef": "#gone"}, {"A": {"$anchor": "other"}}, "AC705", "$dynamicRef"),
        ({"$dynamicRef": "#x"}, {}, "AC705", "$dynamicRef"),
        (
            {"$dynamicRef": "#t"},
            {"A": {"$dynamicAnchor": "t"}, "B": {"$id": "b", "$dynamicAnchor": "t"}},
            "AC705",
            "$dynamicRef",
        ),
        ({"$recursiveRef": "#"}, {"A": {"$recursiveAnchor": True}}, "AC705", "$recursiveRef"),
        ({"$recursiveRef": "#x"}, {"A": {"$recursiveAnchor": True}}, "AC705", "$recursiveRef"),
        ({"$ref": "#a"}, {"A": {"$anchor": "a", "allOf": [{"$ref": "#a"}]}}, "AC705", ""),
        ({"$ref": "#a"}, {"A": {"$anchor": "a", "$ref": "#a"}}, "AC704", "$ref"),
    ],
)
def test_what_has_no_one_meaning_is_refused(
    problems: Any, items: Any, schemas: Any, code: str, step: str
) -> None:
    content = {"application/json": {"schema": {"type": "array", "items": items}}}
    body = {"requestBody": {"required": True, "content": content}}
    (problem,) = problems(body, openapi="3.1.0", **_in(schemas))
    assert problem.code == code
    assert not step or problem.pointer[-1] == step


def test_older_versions_have_no_anchors(problems: Any) -> None:
    content = {"application/json": {"schema": {"type": "array", "items": {"$ref": "#a"}}}}
    body = {"requestBody": {"required": True, "content": content}}
    (problem,) = problems(body, **_in({"A": {"$anchor": "a"}}))
    assert problem.code == "AC704"


def _in(schemas: dict[str, Any]) -> dict[str, Any]:
    return {"components": {"schemas": schemas}}
