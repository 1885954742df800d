"""Another implementation reads back what styles, cookies and forms become, where it supports them.

Where openapi-core 0.23 is itself wrong, the case stands in `WRONG` with the section of the specification
(3.1.1) that says so, and the test fails as soon as it is not wrong any more.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from agentc.openapi import compile_operations
from agentc.source import SourceFile
from agentc_runtime.bundle import Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import Label
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape
from agentc_runtime.wire import HttpRequest

HOST = "https://api.example.com"
STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
POINT: dict[str, Any] = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["x", "name"],
}


def parameter(name: str, place: str, schema: Any, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema, "required": place == "path", **rest}


def document(parameters: list[Any], body: Any = None, path: str = "/x") -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": "op",
        "parameters": parameters,
        "responses": {"204": {"description": "done"}},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Styles", "version": "1"},
        "servers": [{"url": HOST}],
        "paths": {path: {"post": operation}},
    }


def built(made: dict[str, Any], arguments: dict[str, Any]) -> HttpRequest:
    compiled = compile_operations(SourceFile("a.json", json.dumps(made).encode()), ["op"], None).operations[
        "op"
    ]
    assert compiled is not None
    assert compile_shape(compiled.arguments).is_valid(arguments), arguments
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="update",
        arguments=compiled.arguments,
        output=Label(),
        request=compiled.plan(Endpoint(url=HOST), ()),
    )
    return build_request(tool, arguments, Environment(), Secrets(Environment(), {}))


def read(other: OpenAPI, request: HttpRequest) -> Any:
    url = urlsplit(request.url)
    cookies = dict(piece.split("=", 1) for piece in request.headers.get("cookie", "").split("; ") if piece)
    mock = MockRequest(
        host_url=HOST,
        method=request.method.lower(),
        path=url.path,
        args=parse_qsl(url.query, keep_blank_values=True),
        headers=dict(request.headers),
        cookies={name: unquote(value) for name, value in cookies.items()},
        data=request.body or b"",
        content_type=request.headers.get("content-type", "application/json"),
    )
    result = other.unmarshal_request(mock)
    result.raise_for_errors()
    return result


STYLES = document(
    [
        parameter("s", "path", STRINGS),
        parameter("o", "path", POINT, explode=True),
        parameter("form", "query", STRINGS),
        parameter("flat", "query", STRINGS, explode=False),
        parameter("flat_object", "query", POINT, explode=False),
        parameter("pipes", "query", STRINGS, style="pipeDelimited"),
        parameter("pipes_object", "query", POINT, style="pipeDelimited"),
        parameter("deep", "query", POINT, style="deepObject", explode=True),
        parameter("reserved", "query", {"type": "string"}, allowReserved=True),
        {"name": "doc", "in": "query", "content": {"application/json": {"schema": POINT}}},
        parameter("H-List", "header", STRINGS),
        parameter("H-Object", "header", POINT),
        parameter("H-Spread", "header", POINT, explode=True),
        parameter("plain", "cookie", {"type": "string"}),
        parameter("listed", "cookie", STRINGS, explode=False),
    ],
    path="/x/{s}/{o}",
)
READER = OpenAPI.from_dict(STYLES)
#: No separators: openapi-core splits after it has decoded (`WRONG`, "an encoded separator").
WORD = st.text("abcXYZ019é- ", min_size=1, max_size=6).filter(lambda text: text.strip() == text)
TOKEN = st.text("abcXYZ019-", min_size=1, max_size=6)
ANY = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
WORDS = st.lists(WORD, min_size=1, max_size=3)
POINTS = st.fixed_dictionaries({"x": st.integers(-(2**53) + 1, 2**53 - 1), "name": WORD})
RELAXED = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@given(
    needed=st.fixed_dictionaries(
        {
            "s": st.lists(TOKEN, min_size=1, max_size=3),
            "o": st.fixed_dictionaries({"x": st.integers(0, 9), "name": TOKEN}),
        }
    ),
    optional=st.fixed_dictionaries(
        {},
        optional={
            "form": st.lists(ANY, min_size=1, max_size=3),
            "flat": WORDS,
            "flat_object": POINTS,
            "pipes": WORDS,
            "pipes_object": POINTS,
            "deep": st.fixed_dictionaries({"x": st.integers(-9, 9), "name": ANY}),
            "reserved": ANY.filter(bool),
            "doc": st.fixed_dictionaries({"x": st.integers(-9, 9), "name": ANY}),
            "H-List": st.lists(TOKEN, min_size=1, max_size=3),
            "H-Object": st.fixed_dictionaries({"x": st.integers(-9, 9), "name": TOKEN}),
            "H-Spread": st.fixed_dictionaries({"x": st.integers(-9, 9), "name": TOKEN}),
            "plain": ANY,
            "listed": st.lists(TOKEN, min_size=1, max_size=3),
        },
    ),
)
@RELAXED
def test_every_style_is_read_back(needed: Any, optional: Any) -> None:
    result = read(READER, built(STYLES, {**needed, **optional}))
    seen = {
        **result.parameters.path,
        **result.parameters.query,
        **result.parameters.header,
        **result.parameters.cookie,
    }
    assert seen == {**needed, **optional}


FORM = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}, "many": STRINGS}}
URLENCODED = document([], {"application/x-www-form-urlencoded": {"schema": FORM}})
MULTIPART = document(
    [], {"multipart/form-data": {"schema": {**FORM, "properties": {"a": {"type": "string"}, "p": POINT}}}}
)
READERS = {"form": OpenAPI.from_dict(URLENCODED), "multipart": OpenAPI.from_dict(MULTIPART)}


@given(
    st.fixed_dictionaries(
        {"a": ANY, "n": st.integers(-9, 9), "many": st.lists(ANY, min_size=1, max_size=3)},
    )
)
@RELAXED
def test_urlencoded_forms_are_read_back(arguments: Any) -> None:
    assert read(READERS["form"], built(URLENCODED, arguments)).body == arguments


@given(st.fixed_dictionaries({"a": ANY, "p": POINTS}))
@RELAXED
def test_multipart_is_read_back(arguments: Any) -> None:
    assert read(READERS["multipart"], built(MULTIPART, arguments)).body == arguments


#: What is wrong in openapi-core: the parameter or body, a value, the section that says what is right.
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an empty string, 4.8.12.4: `color=`; `allowEmptyValue` is for what is otherwise left out": (
        document([parameter("color", "query", {"type": "string"})]),
        {"color": ""},
    ),
    "label, 4.8.12.3: the template expression is `{color}`, not `{.color}`": (
        document([parameter("color", "path", STRINGS, style="label")], path="/x/{color}"),
        {"color": ["a", "b"]},
    ),
    "matrix, 4.8.12.3: the template expression is `{color}`, not `{;color}`": (
        document([parameter("color", "path", STRINGS, style="matrix")], path="/x/{color}"),
        {"color": ["a", "b"]},
    ),
    "percent-encoding in a path, 4.8.12.3 and RFC 6570, 3.2.2: values are decoded": (
        document([parameter("color", "path", {"type": "string"})], path="/x/{color}"),
        {"color": "a b"},
    ),
    "spaceDelimited, 4.8.12.4: `%20` is a space once the query is decoded": (
        document([parameter("color", "query", STRINGS, style="spaceDelimited")]),
        {"color": ["a", "b"]},
    ),
    "an exploded object, 4.8.12.4: its parameters are `R`, `G` and `B`": (
        document([parameter("color", "query", POINT)]),
        {"color": {"x": 1, "name": "n"}},
    ),
    "an encoded separator, RFC 6570, 3.2.8: items are split before they are decoded": (
        document([parameter("color", "query", STRINGS, explode=False)]),
        {"color": ["a,b", "c"]},
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_where_the_other_implementation_is_wrong(case: str) -> None:
    made, arguments = WRONG[case]
    request = built(made, arguments)
    try:
        result = read(OpenAPI.from_dict(made), request)
    except (OpenAPIError, KeyError, ValueError):
        return
    seen = {**result.parameters.path, **result.parameters.query, **(result.body or {})}
    assert seen != arguments
