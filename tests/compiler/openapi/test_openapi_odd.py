"""Documents that say a little more or less than OpenAPI allows: compiled if one meaning is left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentc.openapi import compile_operations
from agentc.openapi.document import entries, load_document
from agentc.openapi.schema import CROWDED
from agentc.source import SourceFile
from agentc_runtime.bundle import Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import Label
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape
from agentc_runtime.wire import HttpRequest

DONE = {"responses": {"204": {"description": "done"}}}


def built(compiled: Any, arguments: dict[str, Any]) -> HttpRequest:
    assert compile_shape(compiled.arguments).is_valid(arguments), arguments
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="update",
        arguments=compiled.arguments,
        output=Label(),
        request=compiled.plan(Endpoint(url="https://api.example.com"), ()),
    )
    return build_request(tool, arguments, Environment(), Secrets(Environment(), {}))


def body(media: str, schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


# --- where operations stand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "name", "words", "place"),
    [
        ({"things": {"get": DONE}}, "GET things", "begin with `/`", ("paths", "things")),
        (
            {"things": {"get": {**DONE, "operationId": "things"}}},
            "things",
            "begin with `/`",
            ("paths", "things"),
        ),
        ({"/things": {"get": None}}, "GET /things", "has to be an object", ("paths", "/things", "get")),
        ({"/things": {"GET": DONE}}, "GET /things", "lower case", ("paths", "/things", "GET")),
        ({"": "no path"}, "GET /things", "begin with `/`", ("paths", "")),
    ],
)
def test_an_operation_that_stands_in_the_wrong_place_is_told(
    paths: Any, name: str, words: str, place: Any
) -> None:
    made = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": {**paths, "x-mine": {"get": 1}},
    }
    result = compile_operations(SourceFile("a.json", json.dumps(made).encode()), [name], None)
    (problem,) = result.operation_problems[name]
    assert words in problem.message
    assert problem.pointer == place


def test_what_stands_beside_operations_is_none() -> None:
    item = {"x-get": DONE, "summary": "", "trace": DONE, "query": DONE}
    made = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": item, "x-b": DONE}}
    assert entries(load_document("a.json", json.dumps(made).encode())) == ((), ())


# --- paths with more behind them -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/a#acl", "/a"),
        ("/a?action=list&n=%201", "/a?action=list&n=%201"),
        ("/a?policy#x", "/a?policy="),
        ("/?a=1", "/?a=1"),
    ],
)
def test_a_query_behind_a_path_is_sent_and_a_fragment_is_not(compiled: Any, path: str, url: str) -> None:
    made = compiled({}, path=path)
    constants = {name: one["const"] for name, one in made.arguments["properties"].items()}
    assert built(made, constants).url == f"https://api.example.com{url}"
    assert "OpenAPI does not allow" in made.notes[0].message
    for name in constants:
        assert not compile_shape(made.arguments).is_valid({**constants, name: "other"})


@pytest.mark.parametrize("path", ["/a?action=list", "/a?action={action}"])
def test_a_declared_parameter_takes_the_place_of_a_constant(compiled: Any, path: str) -> None:
    parameter = {"name": "action", "in": "query", "schema": {"enum": ["list", "count"]}}
    made = compiled({"parameters": [parameter]}, path=path)
    assert built(made, {"action": "count"}).url.endswith("/a?action=count")


# --- parameters that clients set, or that stand twice ----------------------------------------------------


@pytest.mark.parametrize("name", ["Host", "Accept-Encoding", "Content-Length", "connection"])
def test_what_a_client_sets_is_no_argument(compiled: Any, name: str) -> None:
    parameter = {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
    made = compiled({"parameters": [parameter]})
    assert made.arguments["properties"] == {}
    assert "set by the client" in made.notes[0].message


def test_the_same_parameter_twice_is_one(compiled: Any) -> None:
    parameter = {"name": "a", "in": "query", "schema": {"type": "string"}}
    made = compiled({"parameters": [parameter, parameter]})
    assert list(made.arguments["properties"]) == ["a"]
    assert "stands twice" in made.notes[0].message


# --- bodies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", ["application/xml", "text/xml", "application/soap+xml", "text/csv"])
def test_text_whose_schema_is_no_string_is_given_as_text(compiled: Any, media: str) -> None:
    made = compiled(body(media, {"type": "object", "properties": {"a": {"type": "string"}}}))
    assert made.arguments["properties"]["body"]["description"] == f"the text of the `{media}` body"
    request = built(made, {"body": "<a>é</a>"})
    assert (request.headers["content-type"], request.body) == (media, "<a>é</a>".encode())
    assert "is not checked" in made.notes[0].message


def test_a_range_of_media_types_leaves_the_choice_to_the_call(compiled: Any) -> None:
    made = compiled(body("image/*", {"type": "string", "format": "binary"}))
    given = {"content_type": "image/png", "base64": "YWI="}
    request = built(made, {"body": given})
    assert (request.headers["content-type"], request.body) == ("image/png", b"ab")
    accepts = compile_shape(made.arguments).is_valid
    for bad in ("text/html", "image/*", "image/png; a=b", "image/png\r\nx: y", ""):
        assert not accepts({"body": {**given, "content_type": bad}})


def test_a_bundle_does_not_widen_a_range(compiled: Any) -> None:
    made = compiled(body("image/*", {"type": "string", "format": "binary"}))
    loose = {**made.arguments, "properties": {"body": {"type": "object"}}}
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="update",
        arguments=loose,
        output=Label(),
        request=made.plan(Endpoint(url="https://api.example.com"), ()),
    )
    for bad in ("text/html", "image/png\r\nx: y", None):
        with pytest.raises(RefusedError) as refused:
            build_request(
                tool,
                {"body": {"content_type": bad, "base64": "YWI="}},
                Environment(),
                Secrets(Environment(), {}),
            )
        assert refused.value.refusal.code == "AR304"


def test_any_text_is_plain_text(compiled: Any) -> None:
    made = compiled(body("text/*", {"type": "string"}))
    assert built(made, {"body": "a"}).headers["content-type"] == "text/plain"


def test_other_multipart_bodies_have_named_parts_as_well(compiled: Any) -> None:
    made = compiled(body("multipart/mixed", {"type": "object", "properties": {"a": {"type": "string"}}}))
    request = built(made, {"a": "x"})
    assert request.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert b'form-data; name="a"\r\n\r\nx' in (request.body or b"")


# --- credentials -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "kind"),
    [("token", "header"), ("ApiKey-v1", "header"), ("BEARER", "bearer"), ("Basic", "basic")],
)
def test_a_scheme_of_http_with_a_constant_credential_is_a_header(
    compiled: Any, scheme: str, kind: str
) -> None:
    made = compiled(
        {"security": [{"s": []}]},
        components={"securitySchemes": {"s": {"type": "http", "scheme": scheme}}},
    )
    ((credential,),) = made.security
    assert credential.kind == kind
    assert credential.wire == ("Authorization" if kind == "header" else "")


@pytest.mark.parametrize("scheme", ["digest", "Negotiate", "HOBA", "aws4-hmac-sha256", "", "two words"])
def test_a_scheme_of_http_that_answers_challenges_is_refused(problems: Any, scheme: str) -> None:
    (problem,) = problems(
        {"security": [{"s": []}]},
        components={"securitySchemes": {"s": {"type": "http", "scheme": scheme}}},
    )
    assert (problem.code, problem.pointer) == ("AC706", ("components", "securitySchemes", "s"))


# --- schemas ---------------------------------------------------------------------------------------------


def test_a_reference_among_the_names_of_properties_is_refused_where_it_stands(problems: Any) -> None:
    schema = {"properties": {"$ref": "#/components/schemas/A"}}
    (problem,) = problems(body("application/json", schema), components={"schemas": {"A": {"a": {}}}})
    assert problem.pointer[-2:] == ("properties", "$ref")
    assert "names of properties" in problem.message


def graph(size: int) -> dict[str, Any]:
    """Types that refer to each other, as large service models do; each needs its `id`."""
    return {
        f"T{one}": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                **{f"p{number}": {"type": "integer"} for number in range(60)},
                "left": {"$ref": f"#/components/schemas/T{(2 * one + 1) % size}"},
                "right": {
                    "type": "array",
                    "items": {"$ref": f"#/components/schemas/T{(2 * one + 2) % size}"},
                },
            },
        }
        for one in range(size)
    }


def test_a_very_large_model_is_cut_where_it_is_deepest(compiled: Any) -> None:
    made = compiled(
        body("application/json", {"$ref": "#/components/schemas/T0"}), components={"schemas": graph(1000)}
    )
    definitions = made.arguments["$defs"]
    assert CROWDED / 64 - 10 < len(definitions) <= CROWDED / 64
    assert {"left", "right"} <= definitions["T1"]["properties"].keys()
    (note,) = made.notes
    assert "others as deep" in note.message
    accepts = compile_shape(made.arguments).is_valid
    assert accepts({"id": "a", "left": {"id": "b", "right": [{"id": "c"}]}})
    last = max(definitions, key=lambda name: int(name[1:]))
    assert not {"left", "right"} & definitions[last]["properties"].keys()


def test_what_a_very_large_model_needs_is_not_cut(problems: Any) -> None:
    schemas = graph(1000)
    for one in schemas.values():
        one["required"] = ["id", "left"]
    (problem,) = problems(
        body("application/json", {"$ref": "#/components/schemas/T0"}), components={"schemas": schemas}
    )
    assert problem.code == "AC705"
