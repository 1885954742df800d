"""Parameters and bodies become arguments with names of their own, and nothing else can be set."""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.violations import compile_shape

JSON = "application/json"


def parameter(name: str, place: str = "query", schema: Any = None, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema or {"type": "string"}, **rest}


def body(schema: Any, **rest: Any) -> dict[str, Any]:
    return {"content": {JSON: {"schema": schema}}, **rest}


def test_path_query_header_and_body_are_arguments(compiled: Any) -> None:
    operation = compiled(
        {
            "parameters": [
                parameter("limit", schema={"type": "integer"}, description="how many"),
                parameter("X-Trace", "header"),
                parameter("Authorization", "header"),
                parameter("Content-Type", "header"),
                parameter("accept", "header"),
            ],
            "requestBody": body(
                {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
                required=True,
            ),
        },
        path="/boxes/{box}/things",
        item={"parameters": [parameter("box", "path", required=True)]},
    )
    assert operation.arguments == {
        "type": "object",
        "properties": {
            "box": {"type": "string"},
            "limit": {"type": "integer", "description": "how many"},
            "X-Trace": {"type": "string"},
            "name": {"type": "string"},
        },
        "required": ["box", "name"],
        "additionalProperties": False,
    }
    assert [[part.literal or part.param.argument for part in parts] for parts in operation.segments] == [
        ["boxes"],
        ["box"],
        ["things"],
    ]
    assert operation.pointers["box"] == ("paths", "/boxes/{box}/things", "parameters", "0")
    assert operation.pointers["name"][-2:] == ("properties", "name")
    assert operation.body.fields == {"name": "name"}


def test_an_operation_s_parameter_replaces_its_path_s(compiled: Any) -> None:
    operation = compiled(
        {"parameters": [parameter("a", schema={"type": "integer"})]},
        item={"parameters": [parameter("a"), parameter("a", "header")]},
    )
    assert operation.arguments["properties"] == {
        "query_a": {"type": "integer"},
        "header_a": {"type": "string"},
    }


def test_a_name_in_several_places_gets_its_place_in_front(compiled: Any) -> None:
    operation = compiled(
        {
            "parameters": [parameter("id", "path", required=True), parameter("id"), parameter("query_id")],
            "requestBody": body({"type": "object", "properties": {"id": {"type": "integer"}}}),
        },
        path="/things/{id}",
    )
    assert list(operation.arguments["properties"]) == ["path_id", "query_id_2", "query_id", "body_id"]
    assert [(param.argument, param.name) for param in operation.query] == [
        ("query_id_2", "id"),
        ("query_id", "query_id"),
    ]
    assert operation.body.fields == {"id": "body_id"}


def test_names_that_providers_refuse_are_changed_and_the_wire_name_is_kept(compiled: Any) -> None:
    names = ["filter[created]", "ünï", "$top", "a" * 80, "a" * 81, "[]"]
    operation = compiled({"parameters": [parameter(name) for name in names]})
    shown = list(operation.arguments["properties"])
    assert shown[:3] == ["filter_created", "n", "top"]
    assert len(set(shown)) == len(names)
    assert all(0 < len(name) <= 64 and name.isascii() for name in shown)
    assert [param.name for param in operation.query] == names


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"allOf": [{"type": "object", "properties": {"a": {}}}]},
        {"type": "object"},
        {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
        {"type": "object", "properties": {"a": {}}, "minProperties": 1},
        {"type": "object", "properties": {"a": {}}, "nullable": True},
    ],
)
def test_a_body_that_is_no_plain_object_is_one_argument(compiled: Any, schema: Any) -> None:
    operation = compiled({"requestBody": body(schema, required=True)})
    assert list(operation.arguments["properties"]) == ["body"]
    assert operation.arguments["required"] == ["body"]
    assert operation.body.argument == "body"


def test_an_optional_body_with_needed_fields_is_given_whole_or_not_at_all(compiled: Any) -> None:
    schema = {"type": "object", "properties": {"a": {}}, "required": ["a"]}
    operation = compiled({"requestBody": body(schema)})
    assert operation.arguments["required"] == []
    accepts = compile_shape(operation.arguments).is_valid
    assert accepts({})
    assert accepts({"body": {"a": 1}})
    assert not accepts({"body": {}})


def test_vendor_json_and_wildcards_are_json(compiled: Any) -> None:
    schema = {"schema": {"type": "object", "properties": {"a": {}}}}
    given = {"text/plain": {}, "application/vnd.api+json; charset=utf-8": schema}
    assert compiled({"requestBody": {"content": given}}).body.content_type == list(given)[1]
    assert compiled({"requestBody": {"content": {"*/*": schema}}}).body.content_type == JSON


@pytest.mark.parametrize("required", [True, False])
def test_other_bodies_stop_the_operation(problems: Any, required: bool) -> None:
    given = {"content": {"image/png": {"schema": {"type": "object"}}}, "required": required}
    (problem,) = problems({"requestBody": given})
    assert problem.code == "AC705"
    assert "image/png" in problem.message
    assert problem.pointer[-3:] == ("requestBody", "content", "image/png")


def test_a_get_body_is_ignored_with_a_note(compiled: Any) -> None:
    operation = compiled({"requestBody": body({"type": "object", "properties": {"a": {}}})}, method="get")
    assert operation.body is None
    assert len(operation.notes) == 1


UNSUPPORTED = [
    parameter("p", "cookie", schema={"type": "array"}),
    parameter("p;q", "cookie"),
    parameter("p", style="deepObject"),
    parameter("p", style="deepObject", explode=False, schema={"type": "object"}),
    parameter("p", style="pipeDelimited"),
    parameter("p", style="pipeDelimited", explode=True, schema={"type": "array"}),
    parameter("p", style="matrix"),
    parameter("p", "header", style="form"),
    parameter("p", schema={"type": "array", "items": {"type": "object"}}),
    parameter("p", schema={"type": "array", "items": {"type": "array"}}),
    parameter("p", schema={"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]}),
    {"name": "p", "in": "query", "content": {"application/xml": {"schema": {"type": "object"}}}},
    {"name": "p", "in": "query", "content": {JSON: {}, "text/plain": {}}},
    {"name": "p", "in": "query"},
    parameter("Cookie", "header"),
    parameter("X-Forwarded-For", "header"),
    parameter("Transfer-Encoding", "header"),
    parameter("bad name", "header"),
    parameter("p", "nowhere"),
]


@pytest.mark.parametrize("given", UNSUPPORTED)
def test_unsupported_parameters_stop_the_operation_when_they_are_required(problems: Any, given: Any) -> None:
    (problem,) = problems({"parameters": [{**given, "required": True}]})
    assert problem.code == "AC705"


@pytest.mark.parametrize("given", UNSUPPORTED)
def test_unsupported_parameters_are_left_out_when_they_are_optional(compiled: Any, given: Any) -> None:
    operation = compiled({"parameters": [given, parameter("q")]})
    assert list(operation.arguments["properties"]) == ["q"]
    assert [note.code for note in operation.notes] == ["AC705"]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({}, ["a", 1, True, ["a"]], [None, {}, [{}], [None]]),
        ({"type": ["string", "null"]}, ["a"], [None]),
        ({"type": ["string", "object"]}, ["a", {"b": 1}], [{"b": {}}, {"b": None}, [1]]),
        ({"type": "array"}, [["a", 1]], [[{}], [["a"]], "a"]),
        ({"oneOf": [{"type": "string"}, {"type": "array", "items": {}}]}, ["a", [1]], [[{}], 1]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1], [None, "a"]),
        ({"enum": ["a", None]}, ["a"], [None, "b"]),
    ],
)
def test_parameters_hold_only_what_can_be_written_into_a_request(
    compiled: Any, schema: Any, good: list[Any], bad: list[Any]
) -> None:
    given = {"name": "p", "in": "query", "schema": schema}
    accepts = compile_shape(compiled({"parameters": [given]}, openapi="3.1.0").arguments).is_valid
    assert [value for value in good if not accepts({"p": value})] == []
    assert [value for value in bad if accepts({"p": value})] == []


def test_a_credential_is_never_an_argument(compiled: Any) -> None:
    operation = compiled(
        {"parameters": [parameter("x-api-key", "header"), parameter("X-Api-Key")]},
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}},
        security=[{"key": []}],
    )
    assert list(operation.arguments["properties"]) == ["X-Api-Key"]
    assert [param.name for param in operation.query] == ["X-Api-Key"]


@pytest.mark.parametrize(
    ("path", "parameters", "words"),
    [
        ("/a/{b}", [], "no usable path parameter"),
        ("/a/../b", [], "`..`"),
        ("/a/%2e%2E/b", [], "`..`"),
        ("/a?x={b}", [], "malformed"),
        ("/a?=1", [], "malformed"),
        ("/a\\b", [], "malformed"),
        ("/a/{b", [], "malformed"),
        ("/a/{b}", [parameter("b", "path", style="deepObject", required=True)], "style `deepObject`"),
        (
            "/a/{b}",
            [parameter("b", "path", {"type": "integer", "enum": ["x"]}, required=True)],
            "no value satisfies",
        ),
        ("/a", [parameter("a"), parameter("a", style="simple")], "stands twice"),
        ("/a", [{"in": "query"}], "needs `name`"),
        ("/a", "none", "has to be a list"),
    ],
)
def test_malformed_paths_and_parameters_are_one_problem(
    problems: Any, path: str, parameters: Any, words: str
) -> None:
    (problem,) = problems({"parameters": parameters}, path=path)
    assert problem.code == "AC705"
    assert words in problem.message


def test_literal_path_text_is_encoded_once(compiled: Any) -> None:
    operation = compiled({"parameters": [parameter("b", "path", required=True)]}, path="/a b/%20ü/x.{b}:run/")
    literals = ["".join(part.literal or "*" for part in parts) for parts in operation.segments]
    assert literals == ["a%20b", "%20%C3%BC", "x.*:run", ""]


def test_a_path_parameter_that_the_path_lacks_is_no_argument(compiled: Any) -> None:
    operation = compiled({"parameters": [parameter("b", "path", required=True)]})
    assert operation.arguments["properties"] == {}
    assert len(operation.notes) == 1
