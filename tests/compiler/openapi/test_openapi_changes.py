"""What differs between two versions of an operation: each kind of difference, told once and at its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from agentc.openapi.operation_changes import operation_changes
from agentc.openapi.schema_changes import MAX_CHANGES, schema_changes, written_path


def told(old: Any, new: Any) -> list[str]:
    return [f"{written_path(one.path)} {one.what}".strip() for one in schema_changes(old, new)]


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


MORE, NAMED = "additionalProperties", "patternProperties"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"type": "string"}, {"type": "integer"}, "a is integer, was string"),
        ({"type": "string"}, {"type": ["string", "null"]}, "a is null or string, was string"),
        ({"type": "string"}, {}, "a is anything, was string"),
        ({"maximum": 50}, {"maximum": 5000}, "a `maximum` is 5000, was 50"),
        ({"maximum": 50}, {}, "a `maximum` 50 is gone"),
        ({}, {"minLength": 3}, "a `minLength` 3 is new"),
        ({"enum": ["x", "y"]}, {"enum": ["y", "z"]}, ['a admits "x" no longer', 'a admits "z" as well']),
        ({"enum": [1, True]}, {"enum": [True, 1]}, []),
        ({"const": "x"}, {"enum": ["x"]}, []),
        ({"enum": [1]}, {}, "a admits any value now"),
        ({}, {"enum": [1]}, "a admits 1 alone"),
        ({"enum": list(range(20))}, {"enum": []}, "a admits 0, 1, 2, 3, 4, 5 and 14 more no longer"),
        ({"default": None}, {}, "a `default` null is gone"),
        ({"pattern": "^a$"}, {"pattern": "^b$"}, 'a `pattern` is "^b$", was "^a$"'),
        ({"description": "x"}, {"description": "y"}, 'a is described as "y", was "x"'),
        ({"description": "x"}, {}, 'a is no longer described as "x"'),
        ({}, {"deprecated": True}, "a is deprecated"),
        ({"items": {"type": "string"}}, {"items": {"type": "null"}}, "a[] is null, was string"),
        ({"items": {}}, {}, "a[] `items` is gone"),
        (of(b=of(c={})), of(b=of()), "a.b.c is gone"),
        (of(), of(b={}), "a.b is new and optional"),
        (of(), {**of(b={}), "required": ["b"]}, "a.b is new and required"),
        (of(b={}), {**of(b={}), "required": ["b"]}, "a.b is required now"),
        ({**of(b={}), "required": ["b"]}, of(b={}), "a.b is optional now"),
        ({"additionalProperties": False}, {}, "a admits other keys now"),
        ({}, {"additionalProperties": False}, "a admits no other keys now"),
        ({MORE: {"type": "null"}}, {MORE: {}}, "a.* is anything, was null"),
        ({"additionalProperties": True}, {"additionalProperties": False}, "a.* admits nothing, was anything"),
        ({"anyOf": [{}, {}]}, {"anyOf": [{}]}, "a `anyOf` has 1 parts, was 2"),
        ({"anyOf": [{}, {"type": "null"}]}, {"anyOf": [{}, {}]}, "a(anyOf 2) is anything, was null"),
        ({"not": {"type": "null"}}, {"not": {}}, "a(not) is anything, was null"),
        ({NAMED: {"x": {}}}, {NAMED: {"x": False}}, "a(x) admits nothing, was anything"),
        (True, False, "a admits nothing, was anything"),
    ],
)  # fmt: skip
def test_each_difference_is_told(old: Any, new: Any, words: Any) -> None:
    assert told(of(a=old), of(a=new)) == ([words] if isinstance(words, str) else words)
    assert told(of(a=old), of(a=copy.deepcopy(old))) == []


def test_a_shared_definition_is_told_of_each_argument_once() -> None:
    def schema(limit: int) -> dict[str, Any]:
        tree = {"type": "object", "properties": {"n": {"maximum": limit}, "next": {"$ref": "#/$defs/T"}}}
        same = {"$ref": "#/$defs/Same"}
        return {
            **of(a={"$ref": "#/$defs/T"}, b={"$ref": "#/$defs/T"}, c=same),
            "$defs": {"T": tree, "Same": {}},
        }

    assert told(schema(1), schema(2)) == ["a.n `maximum` is 2, was 1", "b.n `maximum` is 2, was 1"]


def test_a_definition_with_another_name_is_no_difference() -> None:
    old = {**of(a={"$ref": "#/$defs/Old"}), "$defs": {"Old": of(n={"type": "null"})}}
    new = {**of(a={"$ref": "#/$defs/New"}), "$defs": {"New": of(n={"type": "null"})}}
    assert told(old, new) == []
    assert told(old, of(a=of(n={"type": "null"}))) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$ref": "#/$defs/gone"},
        {"type": 7, "properties": [], "required": 3, "enum": {}, "allOf": {}, "items": 1, "$defs": []},
        {
            "$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(50)},
            "$ref": "#/$defs/d0",
        },
    ],
)
def test_odd_schemas_end(schema: Any) -> None:
    other = of(**{f"p{number}": {} for number in range(1000)})
    assert len(schema_changes(schema, other)) <= MAX_CHANGES
    assert len(schema_changes(other, schema)) <= MAX_CHANGES
    assert schema_changes(schema, copy.deepcopy(schema)) == []


def test_very_deep_schemas_end() -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"items": deep}
    assert told(deep, {"items": {}}) == ["[][] `items` is gone"]


# --- operations ----------------------------------------------------------------------------------------

AMOUNT = {"schema": of(amount={"type": "number"})}
BODY = {"requestBody": {"content": {"application/json": AMOUNT}}}
QUERY = {"name": "full", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}


def between(
    compiled: Any, old: dict[str, Any], new: dict[str, Any], before: Any = (), after: Any = ()
) -> list[str]:
    changes = operation_changes(compiled(old, **dict(before)), compiled(new, **dict(after)))
    return [f"{one.part}: {written_path(one.path)} {one.what}".replace(":  ", ": ") for one in changes]


def _answer(schema: Any, status: str = "200") -> dict[str, Any]:
    return {"responses": {status: {"description": "", "content": {"application/json": {"schema": schema}}}}}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"summary": "A"}, {"summary": "B"}, 'description: is described as "B", was "A"'),
        ({}, {"deprecated": True}, "operation: is deprecated"),
        ({}, {"parameters": [QUERY]}, "argument: full is new and optional"),
        ({"parameters": [QUERY]}, {}, "argument: full is gone"),
        (
            {"parameters": [QUERY]},
            {"parameters": [{**QUERY, "in": "header"}]},
            "request: full is sent in the headers, was in the query",
        ),
        (
            {"parameters": [QUERY]},
            {"parameters": [{**QUERY, "explode": False}]},
            "request: full is written otherwise in the query",
        ),
        (BODY, {}, ["argument: amount is gone", "request: has no body now"]),
        (
            BODY,
            {"requestBody": {"content": {"application/vnd.x+json": AMOUNT}}},
            "request: has its body as `application/vnd.x+json`, was `application/json`",
        ),
        (_answer(of(a={})), _answer(of()), "answer: a is gone"),
        (_answer({"type": "null"}), _answer({}), "answer: 200 application/json is anything, was null"),
        (
            _answer({}),
            _answer({}, "202"),
            ["answer: 200 application/json is gone", "answer: 202 application/json is new"],
        ),
        (_answer(of(), "404"), _answer(of(a={}), "404"), []),
        (
            {"servers": [{"url": "https://a.example"}]},
            {"servers": [{"url": "https://b.example"}]},
            "server: is at https://b.example, was at https://a.example",
        ),
    ],
)  # fmt: skip
def test_what_differs_between_operations(compiled: Any, old: Any, new: Any, words: Any) -> None:
    assert between(compiled, old, new) == ([words] if isinstance(words, str) else words)
    assert between(compiled, old, old) == []


def test_scopes_and_schemes_are_told(compiled: Any) -> None:
    flows = {"clientCredentials": {"tokenUrl": "https://a.example/t", "scopes": {}}}
    rest = {
        "components": {
            "securitySchemes": {
                "o": {"type": "oauth2", "flows": flows},
                "k": {"type": "apiKey", "in": "header", "name": "X-Key"},
            }
        }
    }
    old, new = {"security": [{"o": ["read"]}]}, {"security": [{"o": ["read", "write"]}, {"k": []}]}
    [told] = between(compiled, old, new, rest, rest)
    assert (
        told
        == "security: asks for o (bearer) with read, write or k (header in `X-Key`), was o (bearer) with read"
    )


def test_a_path_that_moved_is_told(compiled: Any) -> None:
    words = between(compiled, {}, {}, {"path": "/things"}, {"path": "/v2/things"})
    assert words == ["operation: is `POST /v2/things`, was `POST /things`"]


def test_swagger_and_openapi_3_are_compared_by_what_they_mean(compiled: Any) -> None:
    from agentc.openapi import compile_operations
    from agentc.source import SourceFile

    swagger = b"""
swagger: "2.0"
info: { title: Things, version: "1" }
host: api.example.com
basePath: /v1
paths:
  /things:
    post:
      operationId: op
      consumes: [application/json]
      parameters:
        - { name: tag, in: query, type: array, items: { type: string }, collectionFormat: multi }
        - { name: body, in: body, required: true, schema: { $ref: "#/definitions/T" } }
      responses: { "204": { description: done } }
definitions: { T: { type: object, properties: { n: { type: integer, x-nullable: true } } } }
"""
    old = compile_operations(SourceFile("a.yaml", swagger), ["op"], None).operations["op"]
    assert old is not None
    schema = of(n={"type": "integer", "nullable": True})
    new = compiled(
        {
            "parameters": [
                {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        }
    )
    assert operation_changes(old, new) == []
