"""OpenAPI 3.2: what is new is built where it is simple, and otherwise refused at its place."""

from __future__ import annotations

from typing import Any

import pytest

from agentc.openapi import compile_operations
from agentc_runtime.violations import compile_shape

V32 = {"openapi": "3.2.0"}
BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "properties": {"q": {"type": "string"}}}}},
}


def test_query_is_a_method_with_a_body(compiled: Any) -> None:
    operation = compiled({"requestBody": BODY}, method="query", **V32)
    assert operation.method == "QUERY"
    assert operation.body is not None
    assert compile_shape(operation.arguments).is_valid({"q": "a"})


def test_older_versions_have_no_such_method(document: Any) -> None:
    file = document({}, method="query", openapi="3.1.1")
    assert compile_operations(file, [], None).names() == ()


@pytest.mark.parametrize("name", ["copyIt", "COPY /things"])
def test_other_methods_are_refused_where_they_stand(document: Any, name: str) -> None:
    item = {"additionalOperations": {"COPY": {"operationId": "copyIt"}, "MOVE": 5}}
    result = compile_operations(document({}, item=item, **V32), [name, "op", "LINK /things"], None)
    assert result.operations["op"] is not None
    (problem,) = result.operation_problems[name]
    assert problem.code == "AC705"
    assert problem.pointer == ("paths", "/things", "additionalOperations", "COPY")
    assert not result.operation_problems["LINK /things"]


def test_a_query_string_as_a_whole_is_refused_when_it_is_needed(problems: Any, compiled: Any) -> None:
    content = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    given = {"name": "filter", "in": "querystring", "content": content}
    (problem,) = problems({"parameters": [{**given, "required": True}]}, **V32)
    assert problem.code == "AC705"
    assert problem.pointer[:5] == ("paths", "/things", "post", "parameters", "0")
    operation = compiled({"parameters": [given]}, **V32)
    assert operation.arguments["properties"] == {}
    assert len(operation.notes) == 1


def test_media_types_by_reference(compiled: Any) -> None:
    media = {"Named": BODY["content"]["application/json"]}  # type: ignore[index]
    body = {"required": True, "content": {"application/json": {"$ref": "#/components/mediaTypes/Named"}}}
    operation = compiled({"requestBody": body}, components={"mediaTypes": media}, **V32)
    assert operation.pointers["q"][:3] == ("components", "mediaTypes", "Named")


def test_what_says_more_of_a_document_stops_nothing(compiled: Any) -> None:
    flows = {
        "deviceAuthorization": {"deviceAuthorizationUrl": "https://x.example", "tokenUrl": "", "scopes": {}}
    }
    schemes = {
        "a": {"type": "oauth2", "flows": flows, "oauth2MetadataUrl": "https://x.example", "deprecated": True}
    }
    operation = compiled(
        {"security": [{"a": ["r"]}], "responses": {"200": {"summary": "fine"}}},
        components={"securitySchemes": schemes},
        tags=[{"name": "a", "kind": "nav", "parent": "b"}],
        **{"$self": "https://x.example/api"},
        **V32,
    )
    assert operation.security[0][0].scopes == ("r",)
