"""Swagger 2.0: compiled as its OpenAPI 3 counterpart is, with places in the document as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from agentc.openapi import CompiledOperation, DocumentResult, compile_operations, problem_span
from agentc.openapi.document import entries, load_document
from agentc.openapi.problem import find
from agentc.openapi.slicing import slice_operation
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

Run = Callable[..., tuple[SourceFile, DocumentResult]]
ID = {"name": "id", "in": "path", "required": True, "type": "string"}


def run(operation: dict[str, Any], path: str = "/things", **rest: Any) -> tuple[SourceFile, DocumentResult]:
    """The one operation `op`, out of a document that is indented so that each key has a line."""
    item = {"post": {"operationId": "op", "responses": {"204": {"description": "done"}}, **operation}}
    root = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "host": "api.example.com"}
    root |= {"paths": {path: item | rest.pop("item", {})}, **rest}
    file = SourceFile("api.json", json.dumps(root, indent=1).encode())
    return file, compile_operations(file, ["op"], None)


def compiled(operation: dict[str, Any], **rest: Any) -> CompiledOperation:
    _, result = run(operation, **rest)
    assert not result.problems
    assert not result.operation_problems["op"]
    found = result.operations["op"]
    assert found is not None
    return found


def refused(operation: dict[str, Any], **rest: Any) -> tuple[str, str, str]:
    """Code, message and the line of the one problem."""
    file, result = run(operation, **rest)
    assert result.operations["op"] is None
    (problem,) = result.operation_problems["op"]
    find(json.loads(file.data), problem.pointer)  # a place of the document as it was written
    return problem.code, problem.message, file.lines[problem_span(file, problem).line - 1].strip()


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({}, "https://api.example.com"),
        ({"basePath": "/v1/"}, "https://api.example.com/v1"),
        ({"basePath": "v1"}, "https://api.example.com/v1"),
        ({"basePath": "/"}, "https://api.example.com"),
        ({"host": "api.example.com:8443", "schemes": ["http", "https"]}, "https://api.example.com:8443"),
        ({"schemes": ["http"]}, "http://api.example.com"),
        ({"schemes": ["wss"]}, None),
        ({"schemes": "http"}, "https://api.example.com"),
        ({"host": ""}, None),
        ({"host": "evil.com/x?"}, None),
        ({"host": 5}, None),
    ],
)
def test_host_base_path_and_schemes_are_the_server(said: dict[str, Any], url: str | None) -> None:
    operation = compiled({}, **said)
    assert operation.servers == ((url,) if url else ())


def test_an_operation_has_schemes_of_its_own() -> None:
    assert compiled({"schemes": ["http"]}, schemes=["https"]).servers == ("http://api.example.com",)


def test_the_index_knows_servers_and_schemes() -> None:
    definitions = {
        "a": {"type": "basic"},
        "b": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "c": {"type": "oauth2", "flow": "application", "tokenUrl": "https://x.example", "scopes": {"r": ""}},
        "d": [],
    }
    _, result = run({}, securityDefinitions=definitions)
    assert result.openapi == "2.0"
    assert result.servers == ("https://api.example.com",)
    assert {name: result.security_schemes[name] for name in "abc"} == {
        "a": "basic",
        "b": "header `X-Key`",
        "c": "bearer",
    }


@pytest.mark.parametrize("flow", ["implicit", "password", "application", "accessCode", None])
def test_oauth_flows_give_a_bearer_token_with_its_scopes(flow: str | None) -> None:
    definitions = {"auth": {"type": "oauth2", "flow": flow, "scopes": {"write": "w"}}}
    operation = compiled({"security": [{"auth": ["write"]}]}, securityDefinitions=definitions)
    ((credential,),) = operation.security
    assert (credential.kind, credential.scopes) == ("bearer", ("write",))


def test_a_credential_is_no_argument() -> None:
    definitions = {"key": {"type": "apiKey", "in": "query", "name": "key"}}
    given = [{"name": "key", "in": "query", "type": "string"}, {"name": "q", "in": "query", "type": "string"}]
    operation = compiled({"parameters": given}, securityDefinitions=definitions, security=[{"key": []}])
    assert list(operation.arguments["properties"]) == ["q"]


def test_a_missing_security_scheme_is_placed() -> None:
    code, message, line = refused({}, security=[{"gone": []}])
    assert (code, line) == ("AC706", '"gone": []')
    assert "`gone` is not in the document" in message


@pytest.mark.parametrize(
    ("form", "style", "explode"),
    [
        (None, "form", False),
        ("csv", "form", False),
        ("multi", "form", True),
        ("ssv", "spaceDelimited", False),
        ("pipes", "pipeDelimited", False),
    ],
)
def test_collection_formats_of_queries(form: str | None, style: str, explode: bool) -> None:
    given = {"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, "required": True}
    given |= {"collectionFormat": form} if form else {}
    (param,) = compiled({"parameters": [given]}).query
    assert (param.style, param.explode) == (style, explode)


@pytest.mark.parametrize("place", ["path", "header"])
def test_lists_elsewhere_have_commas(place: str) -> None:
    given = {"name": "id", "in": place, "type": "array", "items": {"type": "string"}, "required": True}
    operation = compiled({"parameters": [given]}, path="/a/{id}" if place == "path" else "/a")
    param = operation.segments[1][0].param if place == "path" else operation.headers[0]
    assert param is not None
    assert (param.style, param.explode) == ("simple", False)


@pytest.mark.parametrize("place", ["query", "header", "path", "formData"])
def test_tabs_between_values_are_refused_where_they_are_named(place: str) -> None:
    given = {"name": "id", "in": place, "type": "array", "items": {"type": "string"}, "required": True}
    given |= {"collectionFormat": "tsv"}
    code, message, line = refused({"parameters": [given]}, path="/a/{id}" if place == "path" else "/a")
    assert (code, line) == ("AC705", '"collectionFormat": "tsv"')
    assert "`tsv`" in message


def test_an_optional_parameter_that_can_not_be_sent_is_left_out() -> None:
    given = {"name": "q", "in": "query", "type": "array", "items": {}, "collectionFormat": "tsv"}
    operation = compiled({"parameters": [given]})
    assert operation.arguments["properties"] == {}
    (note,) = operation.notes
    assert note.pointer == ("paths", "/things", "post", "parameters", "0", "collectionFormat")


@pytest.mark.parametrize("form", [None, "csv", "pipes", "tsv"])
def test_lists_in_one_text_are_sent_in_urlencoded_forms_alone(form: str | None) -> None:
    """In multipart bodies nothing of OpenAPI 3.0 says how such a text would be written."""
    given: dict[str, Any] = {"name": "q", "in": "formData", "type": "array", "items": {"type": "string"}}
    given |= {"collectionFormat": form} if form else {}
    note = {"name": "note", "in": "formData", "type": "string"}
    both = ["multipart/form-data", "application/x-www-form-urlencoded"]
    for consumes, sent in ((both, form != "tsv"), (both[:1] * 2, False), (both[1:], form != "tsv")):
        operation = compiled({"parameters": [note, given], "consumes": consumes})
        assert set(operation.arguments["properties"]) == ({"note", "q"} if sent else {"note"})
        assert len(operation.notes) == (0 if sent else 1)
    code, message, _ = refused({"parameters": [{**given, "required": True}], "consumes": both[:1]})
    assert code == "AC705"
    assert "`collectionFormat`" in message


def test_parameters_say_what_they_say_in_openapi_3() -> None:
    given = {"name": "n", "in": "query", "type": "integer", "minimum": 1, "exclusiveMinimum": True}
    given |= {"maximum": 9, "description": "How many.", "default": 3}
    shared = [{"$ref": "#/parameters/limit"}, {"name": "n", "in": "query", "type": "string"}, ID]
    limit = {"name": "limit", "in": "query", "type": "integer", "format": "int32", "enum": [1, 2]}
    operation = compiled(
        {"parameters": [given]}, path="/a/{id}", item={"parameters": shared}, parameters={"limit": limit}
    )
    properties = operation.arguments["properties"]
    assert properties["n"] == {
        "type": "integer",
        "exclusiveMinimum": 1,
        "maximum": 9,
        "description": "How many.",
        "default": 3,
    }
    assert properties["limit"] == {"type": "integer", "enum": [1, 2]}
    assert operation.arguments["required"] == ["id"]
    assert operation.pointers == {
        "limit": ("parameters", "limit"),
        "n": ("paths", "/a/{id}", "post", "parameters", "0"),
        "id": ("paths", "/a/{id}", "parameters", "2"),
    }


def test_a_body_is_of_the_types_that_are_consumed() -> None:
    pet = {"type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/definitions/Name"}}}
    definitions = {"Pet": pet, "Name": {"type": "string", "x-nullable": True}}
    body = {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}
    consumes = ["application/xml", "application/vnd.pet+json"]
    operation = compiled({"parameters": [body]}, definitions=definitions, consumes=consumes)
    assert operation.body is not None
    assert operation.body.content_type == "application/vnd.pet+json"
    accepts = compile_shape(operation.arguments).is_valid
    assert accepts({"name": None})
    assert not accepts({"name": "a", "other": 1})
    assert operation.pointers["name"] == ("definitions", "Pet", "properties", "name")
    own = compiled({"parameters": [body], "consumes": []}, definitions=definitions, consumes=consumes)
    assert own.body is not None
    assert own.body.content_type == "application/json"


def test_bodies_and_parameters_by_reference() -> None:
    parameters = {"Body": {"name": "b", "in": "body", "schema": {"type": "array", "items": {"type": "null"}}}}
    operation = compiled({"parameters": [{"$ref": "#/parameters/Body"}]}, parameters=parameters)
    assert operation.pointers["body"] == ("parameters", "Body", "schema")


def test_answers_are_of_the_types_that_are_produced() -> None:
    responses = {
        "200": {"$ref": "#/responses/Pets"},
        "204": {"description": "none"},
        "404": {"$ref": "#/responses/Gone"},
    }
    pets = {"description": "pets", "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}}
    operation = compiled(
        {"responses": responses, "produces": ["application/json"]},
        responses={"Pets": pets},
        definitions={"Pet": {"type": "string", "x-nullable": True}},
        produces=["text/xml"],
    )
    pet, none = operation.responses
    assert (pet.status, pet.content_type) == ("200", "application/json")
    assert compile_shape(pet.schema or {}).is_valid(["a", None])
    assert (none.status, none.content_type) == ("204", None)


def test_a_file_is_no_json() -> None:
    responses = {"200": {"schema": {"type": "file"}}}
    operation = compiled({"responses": responses}, produces=["application/json", "application/pdf"])
    assert [case.content_type for case in operation.responses] == ["application/pdf"]


@pytest.mark.parametrize(
    ("parameters", "words", "line"),
    [
        ({}, "has to be a list", '"parameters": {}'),
        ([5], "needs `name` and `in`", "5"),
        ([{"$ref": "#/parameters/Gone"}], "leads nowhere", '"$ref": "#/parameters/Gone"'),
        ([{"$ref": "/etc/passwd"}], "leaves the document", '"$ref": "/etc/passwd"'),
        ([{"in": "body", "name": "b", "schema": {"$ref": "x"}}], "leaves", '"$ref": "x"'),
        ([ID, ID], "stands twice", "{"),
        (
            [{"in": "body", "name": "a"}, {"in": "formData", "name": "b", "type": "string"}],
            "a body and a form",
            '"in": "formData",',
        ),
        ([{"in": "formData", "type": "string"}], "needs `name`", "{"),
        ([{"in": "spoon", "name": "q", "required": True}], "spoon", '"in": "spoon",'),
    ],
)
def test_what_is_wrong_is_shown_where_it_was_written(parameters: Any, words: str, line: str) -> None:
    _, message, found = refused({"parameters": parameters})
    assert words in message
    assert found == line


def test_a_broken_answer_is_shown_where_it_was_written() -> None:
    shared = {"R": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Gone"}}}}
    for responses, place in (
        ({"200": {"$ref": "#/responses/R"}}, '"$ref": "#/definitions/Gone"'),
        ({"200": {"$ref": "#/responses/Gone"}}, '"$ref": "#/responses/Gone"'),
    ):
        code, _, line = refused({"responses": responses}, responses=shared)
        assert (code, line) == ("AC704", place)


def test_a_slice_is_of_what_is_reached_and_nothing_is_changed() -> None:
    root = {
        "swagger": "2.0",
        "paths": {"/a": {"get": {"parameters": [{"$ref": "#/parameters/P"}], "security": [{"k": []}]}}},
        "parameters": {"P": {"in": "body", "schema": {"$ref": "#/definitions/A"}}, "Q": {}},
        "definitions": {"A": {"items": {"$ref": "#/definitions/B"}}, "B": {}, "C": {}},
        "securityDefinitions": {"k": {"type": "basic"}, "l": {}},
    }
    data = json.dumps(root).encode()
    document = load_document("a.json", data)
    assert not isinstance(document, tuple)
    (entry,), _ = entries(document)
    sliced = slice_operation(document, entry).root
    definitions = sliced["definitions"]
    assert isinstance(definitions, dict)
    assert set(definitions) == {"A", "B"}
    assert compile_operations(SourceFile("a.json", data), ["GET /a"], None).operations["GET /a"] is not None
    assert document.root == root


def test_methods_are_those_of_the_version() -> None:
    item = {"trace": {"operationId": "t"}, "query": {"operationId": "q"}, "head": {"operationId": "h"}}
    assert run({}, item=item)[1].names() == ("op", "h")


def test_an_operation_is_the_one_of_its_openapi_3_counterpart() -> None:
    """The same operation, written by hand in both versions, but for the places where it stands."""
    pet = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    pets = {"type": "array", "items": {"$ref": "#/definitions/Pet"}}
    text = {"type": "string", "maxLength": 3}
    tags = {"type": "array", "items": {"type": "string"}}
    old = [
        {"name": "id", "in": "path", "required": True, **text},
        {"name": "tags", "in": "query", "collectionFormat": "multi", **tags},
        {"name": "X-Trace", "in": "header", **text},
    ]
    new = [
        {"name": "id", "in": "path", "required": True, "schema": text},
        {"name": "tags", "in": "query", "style": "form", "explode": True, "schema": tags},
        {"name": "X-Trace", "in": "header", "schema": text},
    ]
    fields = [
        {"name": "note", "in": "formData", "required": True, "description": "Why.", **text},
        {"name": "tags2", "in": "formData", "collectionFormat": "multi", **tags},
        {"name": "photo", "in": "formData", "type": "file"},
    ]
    form = {
        "type": "object",
        "required": ["note"],
        "properties": {
            "note": {**text, "description": "Why."},
            "tags2": tags,
            "photo": {"type": "string", "format": "binary"},
        },
    }
    kind = "application/json"
    bodies: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        ([], {}),
        (
            [{"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}],
            {"required": True, "content": {kind: {"schema": {"$ref": "#/definitions/Pet"}}}},
        ),
        (
            fields[:2],
            {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _of(form, 2)}}},
        ),
        (fields, {"required": True, "content": {"multipart/form-data": {"schema": form}}}),
    ]
    for parameters, body in bodies:
        rest: dict[str, Any] = {"definitions": {"Pet": pet}}
        ours = compiled(
            {
                "parameters": [*old, *parameters],
                "responses": {"200": {"schema": pets}},
                "security": [{"k": []}],
            },
            path="/a/{id}",
            basePath="/v1",
            securityDefinitions={"k": {"type": "basic"}},
            **rest,
        )
        operation = {"operationId": "op", "parameters": new, "security": [{"k": []}]}
        operation |= {"responses": {"200": {"content": {kind: {"schema": pets}}}}}
        operation |= {"requestBody": body} if body else {}
        root = {
            "openapi": "3.0.3",
            "servers": [{"url": "https://api.example.com/v1"}],
            "paths": {"/a/{id}": {"post": operation}},
            "components": {"securitySchemes": {"k": {"type": "http", "scheme": "basic"}}},
            **rest,
        }
        result = compile_operations(SourceFile("b.json", json.dumps(root).encode()), ["op"], None)
        theirs = result.operations["op"]
        assert theirs is not None
        assert replace(ours, pointers={}) == replace(theirs, pointers={})
        assert ours.pointers.keys() == theirs.pointers.keys()


def _of(form: dict[str, Any], count: int) -> dict[str, Any]:
    """A form with the first of its fields."""
    return {**form, "properties": dict(list(form["properties"].items())[:count])}
