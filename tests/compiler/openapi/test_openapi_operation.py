"""Security, servers, answers and descriptions of an operation, and how one is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.openapi import compile_operations
from agentc.source import SourceFile
from agentc_runtime.bundle import ResponseCase
from agentc_runtime.environments import Auth, Endpoint

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


def chosen(operation: Any, *schemes: str, certificate: bool = False) -> tuple[str, ...] | None:
    credentials = operation.credentials(schemes, certificate=certificate)
    return None if credentials is None else tuple(one.scheme for one in credentials)


def test_scopes_and_the_document_s_own_security_are_kept(compiled: Any) -> None:
    operation = compiled({}, components={"securitySchemes": SCHEMES}, security=[{"oauth": ["read", "write"]}])
    (credential,) = operation.credentials(["oauth"])
    assert (credential.kind, credential.scopes) == ("bearer", ("read", "write"))
    assert chosen(operation, "token") is None
    assert operation.asked.pointer == ("security",)


def test_an_open_operation_is_sent_no_credential(compiled: Any) -> None:
    operation = compiled({"security": []}, components={"securitySchemes": SCHEMES}, security=[{"token": []}])
    assert chosen(operation, "token") == ()
    assert chosen(operation) == ()
    assert operation.asked is None


@pytest.mark.parametrize(
    ("security", "has", "expected"),
    [
        ([{"token": [], "key": []}], ("token",), None),
        ([{"token": [], "key": []}], ("token", "key"), ("token", "key")),
        # the fewest credentials
        ([{"token": [], "key": []}, {"password": []}], ("token", "key", "password"), ("password",)),
        # then the fewest scopes
        ([{"oauth": ["read", "write"]}, {"oauth": ["all"]}], ("oauth",), ("oauth", "all")),
        ([{"oauth": ["read"]}, {"key": []}], ("oauth", "key"), ("key",)),
        ([{"oauth": ["read", "read"]}, {"oauth": ["a", "b"]}], ("oauth",), ("oauth", "read", "read")),
        # then the first in the document
        ([{"key": []}, {"token": []}], ("token", "key"), ("key",)),
        ([{"token": []}, {"key": []}], ("token", "key"), ("token",)),
        # who has a credential shows it, where one may be shown
        ([{}, {"token": []}], ("token",), ("token",)),
        ([{}, {"token": []}], ("key",), ()),
        ([{}, {"token": [], "key": []}], ("token",), ()),
        ([{}], ("token",), ()),
    ],
)
def test_which_alternative_a_call_uses(compiled: Any, security: Any, has: Any, expected: Any) -> None:
    operation = compiled({"security": security}, components={"securitySchemes": SCHEMES})
    credentials = operation.credentials(has)
    told = [(one.scheme, *one.scopes) for one in credentials or ()]
    assert (None if credentials is None else tuple(part for one in told for part in one)) == expected


NAMES = ("token", "password", "key", "oauth", "tls")
ALTERNATIVES = st.lists(
    st.dictionaries(st.sampled_from(("key", "oauth", "tls")), st.lists(st.sampled_from("abc"), max_size=2)),
    max_size=4,
)


@given(ALTERNATIVES, st.permutations(NAMES), st.integers(0, 5), st.booleans())
def test_law_what_is_sent_is_an_alternative_whatever_the_order_of_the_toolset(
    security: Any, order: Any, count: int, certificate: bool
) -> None:
    operation = compiled_with(security)
    has = order[:count]
    found = operation.credentials(has, certificate=certificate)
    assert found == operation.credentials(sorted(has), certificate=certificate)
    satisfied = [
        one
        for one in operation.security
        if {part.scheme for part in one} <= {*has} - {"tls"} | ({"tls"} if certificate else set())
    ]
    if not security:
        assert found == ()
    elif not satisfied:
        assert found is None
    else:
        assert found in satisfied
        assert found or all(one == () for one in satisfied)
        assert len(found) == min((len(one) for one in satisfied if one), default=0)


def compiled_with(security: Any) -> Any:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/": {"get": {"operationId": "op", "security": security}}},
        "components": {"securitySchemes": SCHEMES},
    }
    file = SourceFile("openapi.json", json.dumps(document).encode())
    return compile_operations(file, ["op"], None).operations["op"]


def test_mutual_tls_asks_for_a_certificate_and_for_no_secret_that_is_sent(compiled: Any) -> None:
    security = [{"tls": [], "token": []}, {"tls": []}]
    operation = compiled({"security": security}, components={"securitySchemes": SCHEMES})
    assert chosen(operation, "token", "tls") is None
    assert chosen(operation, certificate=True) == ("tls",)
    assert chosen(operation, "token", certificate=True) == ("tls",)


@pytest.mark.parametrize(
    ("pair", "place"),
    [
        (("token", "password"), "header `Authorization`"),
        (("oauth", "raw"), "header `authorization`"),
        (("key", "same"), "query `api_key`"),
    ],
)
def test_two_credentials_in_one_place_are_no_alternative(
    compiled: Any, problems: Any, pair: tuple[str, str], place: str
) -> None:
    more = {
        "raw": {"type": "apiKey", "in": "header", "name": "authorization"},
        "same": {"type": "apiKey", "in": "query", "name": "api_key"},
    }
    both = {name: [] for name in pair}
    (problem,) = problems({"security": [both]}, components={"securitySchemes": SCHEMES | more})
    assert problem.code == "AC706"
    assert place in problem.message
    operation = compiled({"security": [both, {"token": []}]}, components={"securitySchemes": SCHEMES | more})
    assert chosen(operation, "token", *pair) == ("token",)


@pytest.mark.parametrize("scheme", ["digest", "host", "broken", "missing"])
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


EU = {"default": "eu"}


def variable(name: str, **says: Any) -> dict[str, Any]:
    return {"url": f"https://{{{name}}}.a.example", "variables": {name: says}}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (variable("r", default="eu", enum=["eu", "us"]), "https://eu.a.example"),
        (variable("r", default="eu", enum=[]), "https://eu.a.example"),
        ({"url": "https://a.example:{p}", "variables": {"p": {"default": 8443}}}, "https://a.example:8443"),
        (
            {
                "url": "{scheme}://{r}.a.example/{base}/",
                "variables": {"scheme": {"default": "https"}, "r": EU, "base": {"default": "v2"}},
            },
            "https://eu.a.example/v2",
        ),
        (variable("r", default="ap", enum=["eu", "us"]), "the default `ap` of `r` is none of its values"),
        (variable("r", enum=["eu"]), "has no default for `r`"),
        (variable("r", default=None), "has no default for `r`"),
        (variable("r", default=True), "has no default for `r`"),
        (variable("r", default="evil.example/?"), "`https://evil.example/?.a.example` has a path"),
        (variable("r", default="a@evil"), "is not `http` or `https`"),
        ({"url": "https://{a}{b}.example", "variables": {"a": {"default": "x"}}}, "has no default for `b`"),
        ({"url": "https://a.example/{x}", "variables": []}, "has no default for `x`"),
        ({"url": "/v1"}, "is relative to where the document is served"),
        ({"url": "//a.example/v1"}, "is relative to where the document is served"),
        ({"url": "v1"}, "is relative to where the document is served"),
        ({"url": "wss://a.example"}, "is not `http` or `https`"),
        ({"url": "https://a.example/../x"}, "has a path that is not plain segments"),
        ({}, "a server needs a `url`"),
    ],
)
def test_server_variables_and_why_a_server_can_t_be_used(compiled: Any, server: Any, expected: str) -> None:
    operation = compiled({"servers": [server]})
    if operation.servers:
        assert operation.servers == (expected,)
        assert operation.unusable_servers == ()
    else:
        (problem,) = operation.unusable_servers
        assert expected in problem.message
        assert problem.pointer[:5] == ("paths", "/things", "post", "servers", "0")


@pytest.mark.parametrize(
    ("operation", "item", "own"),
    [
        ({}, {}, None),
        ({"servers": []}, {}, None),
        ({"servers": [{"url": "https://api.example.com/v1/"}]}, {}, None),
        ({}, {"servers": [{"url": "https://item.example"}]}, ("paths", "/things", "servers")),
        (
            {"servers": [{"url": "https://own.example"}]},
            {"servers": [{"url": "https://item.example"}]},
            ("paths", "/things", "post", "servers"),
        ),
        ({"servers": [{"url": "/upload"}]}, {}, ("paths", "/things", "post", "servers")),
    ],
)
def test_which_operations_have_servers_of_their_own(
    compiled: Any, operation: Any, item: Any, own: Any
) -> None:
    found = compiled(operation, item=item)
    assert (found.own_servers and found.own_servers.pointer) == own


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
    assert result.security_schemes["tls"] == "certificate"
    assert "not supported" in result.security_schemes["digest"]


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
