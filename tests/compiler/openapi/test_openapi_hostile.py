"""Documents that want to hang, crash or read something: bounded or refused, with a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.openapi import compile_operations
from agentc.openapi.position import position
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

CONTENT = "application/json"


def taking(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {CONTENT: {"schema": schema}}}}


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("/etc/passwd", "AC708"),
        ("file:///etc/passwd", "AC708"),
        ("http://127.0.0.1:1/x.json", "AC708"),
        ("../secret.yaml#/a", "AC708"),
        ("other.json", "AC708"),
        ("", "AC708"),
        ("#/components/schemas/Gone", "AC704"),
        ("#/components/schemas/Self", "AC704"),
        ("#/components/schemas/Ping", "AC704"),
        ("#/components/schemas/List/00009", "AC704"),
        ("#/components/schemas/List/9", "AC704"),
        ("#/components/schemas/List/-1", "AC704"),
        ("#anchor", "AC704"),
        ("#/components/schemas/A\u0000", "AC704"),
    ],
)
@pytest.mark.parametrize("side", ["body", "field", "query", "answer", "parameter", "response"])
def test_references_stay_inside_and_end(problems: Any, reference: str, code: str, side: str) -> None:
    node = {"$ref": reference}
    field = {"type": "object", "properties": {"a": {"type": "array", "items": node}}}
    operation = {
        "body": taking(node),
        "field": taking(field),
        "query": {"parameters": [{"name": "q", "in": "query", "schema": node}]},
        "parameter": {"parameters": [node]},
        "answer": {"responses": {"200": {"content": {CONTENT: {"schema": field}}}}},
        "response": {"responses": {"200": node}},
    }[side]
    schemas = {
        "Self": {"$ref": "#/components/schemas/Self"},
        "Ping": {"$ref": "#/components/schemas/Pong"},
        "Pong": {"$ref": "#/components/schemas/Ping"},
        "List": [1, 2],
    }
    (problem,) = problems(operation, components={"schemas": schemas})
    assert problem.code == code
    assert problem.pointer[-1] == "$ref"


def test_a_schema_that_has_to_satisfy_itself_is_refused(problems: Any) -> None:
    node = {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object"}]}
    (problem,) = problems(taking({"type": "array", "items": node}), components={"schemas": {"A": node}})
    assert "satisfy itself" in problem.message


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_exponential_combinations_are_refused_without_expanding_them(problems: Any, keyword: str) -> None:
    schemas: dict[str, Any] = {
        f"A{n}": {keyword: [{"$ref": f"#/components/schemas/A{n + 1}"}] * 2} for n in range(60)
    }
    schemas["A60"] = {"type": "string"}
    root = {"type": "array", "items": {"$ref": "#/components/schemas/A0"}}
    (problem,) = problems(taking(root), components={"schemas": schemas})
    assert "10,000 checks" in problem.message


def test_exponential_answers_are_not_checked_and_say_so(compiled: Any) -> None:
    schemas: dict[str, Any] = {
        f"A{n}": {"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}] * 2} for n in range(60)
    }
    schemas["A60"] = {"type": "string"}
    content = {CONTENT: {"schema": {"$ref": "#/components/schemas/A0"}}}
    operation = compiled({"responses": {"200": {"content": content}}}, components={"schemas": schemas})
    assert operation.responses[0].schema is None
    assert "not checked" in operation.notes[0].message


def test_a_long_chain_of_combinations_is_fine(compiled: Any) -> None:
    schemas: dict[str, Any] = {
        f"A{n}": {"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}], "properties": {f"p{n}": {}}}
        for n in range(50)
    }
    schemas["A50"] = {"type": "object", "properties": {"last": {"type": "string"}}}
    operation = compiled(taking({"$ref": "#/components/schemas/A0"}), components={"schemas": schemas})
    accepts = compile_shape(operation.arguments).is_valid
    assert accepts({"body": {"p0": 1, "p49": 2, "last": "a"}})
    assert not accepts({"body": {"p50": 1}})


def test_deep_nesting_is_refused_with_its_place(problems: Any) -> None:
    schema: Any = {"type": "string"}
    for _ in range(100):
        schema = {"type": "object", "properties": {"a": schema}}
    (problem,) = problems(taking(schema))
    assert "deeper than 40" in problem.message
    assert problem.pointer[-1] == "a"


@pytest.mark.parametrize("opening", ['{"a":', "[", '{"openapi":"3.1.0","x":[{"a":'])
@pytest.mark.parametrize("depth", [150, 1_000, 10_000, 1_000_000])
@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_a_deep_document_is_refused_with_its_place(opening: str, depth: int, name: str) -> None:
    """Whatever depth a parser allows, nothing behind it is stopped by it: no recursion, no crash."""
    closing = "".join({"{": "}", "[": "]"}[char] for char in reversed(opening) if char in "{[")
    text = opening * depth + "1" + closing * depth
    result = compile_operations(SourceFile(name, text.encode()), ["x"], None)
    assert result.problems or depth < 1_000
    if depth >= 10_000:
        assert result.problems[0].code == "AC701"
        assert result.problems[0].place is not None
        assert result.problems[0].place[1] > 200


@pytest.mark.parametrize("depth", [100, 200, 400])
def test_a_deep_schema_is_refused_with_its_place_whatever_holds_it(problems: Any, depth: int) -> None:
    schema: Any = {"type": "string"}
    for _ in range(depth):
        schema = {"allOf": [schema]}
    (problem,) = problems(taking({"type": "array", "items": schema}))
    assert "deeper than 40" in problem.message
    (problem,) = problems({"parameters": [{"name": "q", "in": "query", "required": True, "schema": schema}]})
    assert "deeper than 40" in problem.message


@pytest.mark.parametrize("keyword", ["default", "enum", "const", "example", "x-deep"])
@pytest.mark.parametrize("depth", [90, 240, 400, 700, 900])
@pytest.mark.parametrize("side", ["body", "query", "answer"])
def test_deep_data_is_refused_or_fits_everywhere(tmp_path: Path, keyword: str, depth: int, side: str) -> None:
    value = "[" * depth + "]" * depth
    schema = f'{{"type": "object", "{keyword}": {f"[{value}]" if keyword == "enum" else value}}}'
    content = f'{{"content": {{"{CONTENT}": {{"schema": {schema}}}}}}}'
    operation = {
        "body": f'"requestBody": {content}',
        "query": f'"parameters": [{{"name": "q", "in": "query", "schema": {schema}}}]',
        "answer": f'"responses": {{"200": {content}}}',
    }[side]
    text = f'{{"openapi": "3.1.0", "paths": {{"/a": {{"post": {{"operationId": "op", {operation}}}}}}}}}'
    file = SourceFile("a.json", text.encode())
    result = compile_operations(file, ["op"], tmp_path)
    again = compile_operations(file, ["op"], tmp_path)
    assert again == result
    assert result.problems or result.operations["op"] is not None or result.operation_problems["op"]


def test_cyclic_path_items_are_unread(document: Any) -> None:
    paths = {
        "/a": {"$ref": "#/paths/~1b"},
        "/b": {"$ref": "#/paths/~1a"},
        "/c": {"$ref": "#/paths/~1c"},
        "/d": {"get": {"$ref": "#/paths/~1d/get", "operationId": "d"}},
    }
    result = compile_operations(document({}, paths=paths), ["GET /a", "GET /c", "d"], None)
    assert {name: found[0].code for name, found in result.operation_problems.items()} == {
        "GET /a": "AC704",
        "GET /c": "AC704",
        "d": "AC704",
    }


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_very_long_chain_of_combinations_is_bounded(keyword: str, document: Any) -> None:
    """Neither recursion nor a walk along the whole chain from each of its parts."""
    count = 9_000
    schemas: dict[str, Any] = {
        f"A{n}": {keyword: [{"$ref": f"#/components/schemas/A{n + 1}"}]} for n in range(count)
    }
    schemas[f"A{count}"] = {"type": "object", "properties": {"a": {}}}
    file = document(taking({"$ref": "#/components/schemas/A0"}), components={"schemas": schemas})
    result = compile_operations(file, ["op"], None)
    assert result.operations["op"] is not None or result.operation_problems["op"]


def test_many_schemas_of_one_name_are_told_apart_in_bounded_time(document: Any) -> None:
    schemas = {f"A{' ' * n}": {"type": "string"} for n in range(4_000)}
    properties = {f"p{n}": {"$ref": f"#/components/schemas/{name}"} for n, name in enumerate(schemas)}
    file = document(taking({"type": "object", "properties": properties}), components={"schemas": schemas})
    operation = compile_operations(file, ["op"], None).operations["op"]
    assert operation is not None
    assert len(operation.arguments["$defs"]) == 4_000


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "^(a|a)*$", "(?=a)b", "(a*)*b\\1", "^(\\w+\\s?)*$", "(((((a{9}){9}){9}){9}){9}){9}"],
)
def test_a_pattern_takes_bounded_time_or_is_left_out(body_schema: Any, pattern: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    accepts = compile_shape(body_schema(schema)).is_valid
    assert accepts({"a": "a" * 5_000 + "!"}) in (True, False)


def test_a_huge_schema_is_refused(problems: Any) -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(30_000)}}
    (problem,) = problems(taking(schema))
    assert "20,000 parts" in problem.message


def test_a_huge_enum_is_compiled(compiled: Any) -> None:
    values = [f"v{n}" for n in range(1_000_000)]
    given = {"name": "q", "in": "query", "schema": {"type": "string", "enum": values}}
    accepts = compile_shape(compiled({"parameters": [given]}).arguments).is_valid
    assert accepts({"q": "v999999"})
    assert not accepts({"q": "w"})


def test_a_shared_yaml_value_is_not_walked_without_end() -> None:
    lines = ["openapi: 3.1.0", "paths: {/a: {post: {operationId: op, requestBody: {content: {a/b: *x}}}}}"]
    text = "x: &x {schema: {type: object}}\n" + "\n".join(lines)
    result = compile_operations(SourceFile("a.yaml", text.encode()), ["op"], None)
    assert [problem.code for problem in result.operation_problems["op"]] == ["AC705"]


WORDS = [
    "$ref",
    "type",
    "properties",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "enum",
    "required",
    "nullable",
    "default",
    "pattern",
    "format",
    "additionalProperties",
    "minimum",
    "exclusiveMinimum",
    "readOnly",
    "description",
    "dependentSchemas",
    "parameters",
    "requestBody",
    "responses",
    "content",
    "schema",
    "name",
    "in",
    "style",
    "explode",
    "security",
    "servers",
    "url",
    "variables",
    "200",
    "application/json",
    "operationId",
    "summary",
    "prefixItems",
    "patternProperties",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["object", "array", "string", "query", "path", "header", "a", "", "#", "^(", "3.1.0"])
    | st.sampled_from(
        ["#/components/schemas/A", "#/components/schemas/B", "#/components", "x#/y", "#/paths/~1a"]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)


@given(
    operation=st.dictionaries(st.sampled_from(WORDS), ANYTHING, max_size=5),
    schema=ANYTHING,
    components=st.dictionaries(st.sampled_from(["A", "B"]), ANYTHING),
    rest=st.dictionaries(st.sampled_from(["security", "servers", "info", "tags"]), ANYTHING),
    version=st.sampled_from(["3.0.3", "3.1.0"]),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_wrong_types_everywhere_never_crash(
    operation: Any, schema: Any, components: Any, rest: Any, version: str
) -> None:
    """Each operation compiles to schemas that the runtime can load, or has problems with a place."""
    paths = {"/a": {"get": operation, "post": taking(schema), "put": schema, "parameters": [operation]}}
    root = {"openapi": version, "paths": paths, "components": {"schemas": components}, **rest}
    file = SourceFile("a.json", json.dumps(root).encode())
    names = ["GET /a", "POST /a", "PUT /a", *compile_operations(file, [], None).names()]
    result = compile_operations(file, names, None)
    for name in names:
        found = result.operations[name]
        if found is not None:
            compile_shape(found.arguments)
            assert found.arguments["additionalProperties"] is False
            for case in found.responses:
                compile_shape(case.schema or {})
        for problem in result.operation_problems[name]:
            assert position(file.data, problem.pointer).line == 1
