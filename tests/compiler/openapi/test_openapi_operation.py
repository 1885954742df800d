"""Security, servers, answers and descriptions of an operation, and how one is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentc.openapi import compile_operations
from agentc.source import SourceFile
from agentc_runtime.bundle import Auth, Endpoint, ResponseCase

SCHEMES = {
    "token": {"type": "http", "scheme": "Bearer"},
    "password": {"type": "http", "scheme": "basic"},
    "key": {"type": "apiKey", "in": "query", "name": "api_key"},
    "oauth": {"type": "oauth2", "flows": {}},
    "digest": {"type": "http", "scheme": "digest"},
    "tls": {"type": "mutualTLS"},
    "host": {"type": "apiKey", "in": "header", "name": "Host"},
    "broken": {"type": "apiKey"},
}


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ([], ()),
        ([{}], ((),)),
        ([{"token": []}], (("bearer",),)),
        ([{"password": []}, {"key": []}], (("basic",), ("query",))),
        ([{"token": [], "key": []}], (("bearer", "query"),)),
        ([{"digest": []}, {"oauth": ["read"]}], (("bearer",),)),
    ],
)
def test_security_is_alternatives_of_combinations(compiled: Any, security: Any, expected: Any) -> None:
    operation = compiled({"security": security}, components={"securitySchemes": SCHEMES})
    assert tuple(tuple(one.kind for one in alternative) for alternative in operation.security) == expected


def test_scopes_and_the_document_s_own_security_are_kept(compiled: Any) -> None:
    operation = compiled({}, components={"securitySchemes": SCHEMES}, security=[{"oauth": ["read", "write"]}])
    assert operation.security[0][0].scopes == ("read", "write")
    assert operation.auth("oauth", "secret") == (Auth(kind="bearer", secret="secret"),)
    assert operation.auth("token", "secret") == ()
    assert operation.admits("oauth")
    assert not operation.admits(None)


def test_an_open_operation_is_sent_no_credential(compiled: Any) -> None:
    operation = compiled({"security": []}, components={"securitySchemes": SCHEMES}, security=[{"token": []}])
    assert operation.auth("token", "secret") == ()
    assert operation.admits("token")
    assert operation.admits(None)


@pytest.mark.parametrize("scheme", ["digest", "tls", "host", "broken", "missing"])
def test_security_that_can_t_be_satisfied_stops_the_operation(problems: Any, scheme: str) -> None:
    (problem,) = problems({"security": [{scheme: []}]}, components={"securitySchemes": SCHEMES})
    assert problem.code == "AC706"
    assert f"`{scheme}`" in problem.message


@pytest.mark.parametrize(
    ("servers", "expected", "code"),
    [
        ([{"url": "https://a.example/v1/"}], ("https://a.example/v1",), None),
        ([{"url": "/v1"}], (), "AC707"),
        ([{"url": "https://a.example"}, {"url": "https://b.example"}], ..., "AC707"),
        (
            [{"url": "https://{r}.a.example", "variables": {"r": {"default": "eu"}}}],
            ("https://eu.a.example",),
            None,
        ),
        ([{"url": "https://{r}.a.example"}], (), "AC707"),
        ([{"url": "https://user:pw@a.example"}], (), "AC707"),
        ([{"url": "https://2130706433"}], (), "AC707"),
        ([{"url": "file:///etc/passwd"}], (), "AC707"),
        ([{"url": 5}, "x"], (), "AC707"),
    ],
)
def test_only_absolute_servers_are_usable(compiled: Any, servers: Any, expected: Any, code: Any) -> None:
    operation = compiled({"servers": servers})
    if expected is not ...:
        assert operation.servers == expected
    problem = operation.server_problem()
    assert (problem and problem.code) == code


def test_the_nearest_servers_count(compiled: Any) -> None:
    item = {"servers": [{"url": "https://item.example"}]}
    assert compiled({}, item=item).servers == ("https://item.example",)
    assert compiled({}).servers == ("https://api.example.com/v1",)


def test_successful_answers_are_kept_and_json_is_preferred(compiled: Any) -> None:
    schema = {"type": "object"}
    operation = compiled(
        {
            "responses": {
                "200": {
                    "description": "",
                    "content": {"text/csv": {}, "application/json": {"schema": schema}},
                },
                "404": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}},
                "2xx": {"description": ""},
                "default": {"$ref": "#/components/responses/Other"},
            }
        },
        components={"responses": {"Other": {"description": "", "content": {"text/plain": {}}}}},
    )
    assert operation.responses == (
        ResponseCase(status="200", content_type="application/json", schema=schema),
        ResponseCase(status="2XX"),
        ResponseCase(status="default", content_type="text/plain", schema={"type": "string"}),
    )
    assert operation.response is None


def test_one_kind_of_answer_is_the_operation_s(compiled: Any) -> None:
    content = {"application/json": {"schema": {"type": "string"}}}
    responses = {"200": {"content": content}, "201": {"content": content}, "default": {"content": {}}}
    assert compiled({"responses": responses}).response == {"type": "string"}


def test_summary_and_description_are_joined(compiled: Any) -> None:
    assert compiled({"summary": "Do it", "description": "More."}).description == "Do it\n\nMore."
    assert compiled({"summary": "Do it", "description": "Do it now."}).description == "Do it now."
    assert compiled({}).description == ""
    assert len(compiled({"description": "a" * 5000}).description) == 1024


def test_the_plan_carries_everything(compiled: Any) -> None:
    endpoint, auth = Endpoint(variable="API"), (Auth(kind="bearer", secret="s"),)
    operation = compiled({})
    plan = operation.plan(endpoint, auth)
    assert (plan.operation, plan.method, plan.endpoint, plan.auth) == ("op", "POST", endpoint, auth)
    assert plan.path == operation.segments


def test_operations_are_named_by_id_or_by_method_and_path() -> None:
    item = {"get": {"operationId": "a"}, "post": {"operationId": "twice"}, "put": {"operationId": "twice"}}
    root = {"openapi": "3.1.0", "info": {"title": "T", "version": "2"}, "paths": {"/x": item, "y": item}}
    root["paths"]["/z"] = {"delete": {}}
    file = SourceFile("a.json", json.dumps(root).encode())
    wanted = ["a", "GET /x", "get /x", "twice", "DELETE /z", "b", "GET /y"]
    result = compile_operations(file, wanted, None)
    assert result.names() == ("a", "twice", "twice", "DELETE /z")
    assert (result.title, result.version, result.openapi) == ("T", "2", "3.1.0")
    ids = [operation and operation.operation_id for operation in result.operations.values()]
    assert ids == ["a", "a", "a", None, "DELETE /z", None, None]
    assert [problem.code for problem in result.operation_problems["twice"]] == ["AC705"]
    assert result.operation_problems["b"] == ()


def test_schemes_and_servers_of_the_document_are_listed(document: Any) -> None:
    file = document({}, components={"securitySchemes": SCHEMES})
    result = compile_operations(file, [], None)
    assert result.servers == ("https://api.example.com/v1",)
    assert result.security_schemes["key"] == "query `api_key`"
    assert "not supported" in result.security_schemes["tls"]


def test_answers_that_are_not_json_have_the_schema_of_what_is_read(compiled: Any) -> None:
    item = {"type": "object", "properties": {"a": {"type": "integer"}}}
    content = {
        "text/event-stream": {},
        "application/x-ndjson": {"schema": item},
        "application/jsonl": {"schema": {"type": "array"}},
        "image/png": {"schema": {"type": "string", "format": "binary"}},
        "*/*": {"schema": {"type": "string", "format": "binary"}},
    }
    operation = compiled({"responses": {"200": {"description": "", "content": content}}})
    schemas = {case.content_type: case.schema for case in operation.responses}
    assert schemas["text/event-stream"] == {"type": "string"}
    assert schemas["application/x-ndjson"] == {"type": "array", "items": item}
    assert schemas["application/jsonl"] == {"type": "array"}
    assert set(schemas["image/png"]["properties"]) == {"content_type", "size", "base64"}
    assert schemas["*/*"] is None
    assert operation.response is None
