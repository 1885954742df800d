"""Another implementation, given the document, accepts what our plans build and reads the same values."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from agentc.openapi import CompiledOperation, compile_operations
from agentc.source import SourceFile
from agentc_runtime.bundle import Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import Label
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape
from agentc_runtime.wire import HttpRequest

HOST = "https://api.example.com"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": HOST}],
    "components": {
        "schemas": {
            "Line": {
                "type": "object",
                "required": ["sku", "count"],
                "properties": {
                    "id": {"type": "string", "readOnly": True},
                    "sku": {"type": "string", "minLength": 1},
                    "count": {"type": "integer", "minimum": 1},
                    "note": {"type": "string", "nullable": True},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                },
            },
            "Tagged": {
                "allOf": [
                    {"$ref": "#/components/schemas/Line"},
                    {"type": "object", "properties": {"tag": {"type": "string"}}},
                ]
            },
        }
    },
    "paths": {
        "/orders/{order}/x.{part}": {
            "parameters": [
                {"name": "order", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "part", "in": "path", "required": True, "schema": {"type": "integer"}},
            ],
            "post": {
                "operationId": "write",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
                    {"name": "dry", "in": "query", "schema": {"type": "boolean"}},
                    {
                        "name": "filter[tag]",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    },
                    {
                        "name": "ids",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
                    },
                    {"name": "X-Count", "in": "header", "schema": {"type": "integer"}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Line"}}},
                },
                "responses": {"204": {"description": "done"}},
            },
            "put": {
                "operationId": "replace",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Tagged"}}
                        }
                    }
                },
                "responses": {"204": {"description": "done"}},
            },
        }
    },
}
FILE = SourceFile("shop.json", json.dumps(DOCUMENT).encode())
OTHER = OpenAPI.from_dict(DOCUMENT)


def operation(name: str) -> CompiledOperation:
    found = compile_operations(FILE, [name], None).operations[name]
    assert found is not None
    return found


def built(compiled: CompiledOperation, arguments: dict[str, Any]) -> HttpRequest:
    tool = Tool(
        name="shop.tool",
        model_name="tool",
        description="",
        effect="update",
        arguments=compiled.arguments,
        output=Label(),
        request=compiled.plan(Endpoint(url=compiled.servers[0]), ()),
    )
    assert compile_shape(compiled.arguments).is_valid(arguments)
    environment = Environment()
    return build_request(tool, arguments, environment, Secrets(environment, {}))


def read(request: HttpRequest) -> Any:
    """What openapi-core reads out of a request; it raises when the request breaks the document."""
    url = urlsplit(request.url)
    mock = MockRequest(
        host_url=HOST,
        method=request.method.lower(),
        path=url.path,
        args=parse_qsl(url.query, keep_blank_values=True),
        headers=dict(request.headers),
        data=request.body or b"",
        content_type=request.headers.get("content-type", "application/json"),
    )
    result = OTHER.unmarshal_request(mock)
    result.raise_for_errors()
    return result


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
SEGMENT = TEXT.filter(lambda text: text and all(char not in "./\\%;" and not char.isspace() for char in text))
COUNT = st.integers(1, 2**53 - 1)
LINE = st.recursive(
    st.fixed_dictionaries({"sku": TEXT.filter(bool), "count": COUNT}, optional={"note": st.none() | TEXT}),
    lambda inner: st.fixed_dictionaries(
        {"sku": TEXT.filter(bool), "count": COUNT}, optional={"parts": st.lists(inner, max_size=2)}
    ),
    max_leaves=4,
)
OPTIONAL = {
    "limit": st.integers(-9, 9),
    "dry": st.booleans(),
    "filter_tag": st.lists(TEXT, min_size=1, max_size=3),
    "ids": st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, max_size=3),
    "X-Count": st.integers(-5, 5),
}
RELAXED = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@given(
    place=st.fixed_dictionaries({"order": SEGMENT, "part": st.integers(-5, 2**53 - 1)}),
    optional=st.fixed_dictionaries({}, optional=OPTIONAL),
    line=LINE,
)
@RELAXED
def test_parameters_and_fields_are_read_back(place: Any, optional: Any, line: Any) -> None:
    result = read(built(operation("write"), {**place, **optional, **line}))
    assert {name: unquote(str(value)) for name, value in result.parameters.path.items()} == {
        name: str(value) for name, value in place.items()
    }
    sent = {("filter[tag]" if name == "filter_tag" else name): value for name, value in optional.items()}
    sent_headers = {"X-Count": sent.pop("X-Count")} if "X-Count" in sent else {}
    assert {**result.parameters.query} == sent
    assert {**result.parameters.header} == sent_headers
    assert result.body == line


@given(
    lines=st.lists(
        st.builds(lambda line, tag: {**line, **tag}, LINE, st.fixed_dictionaries({}, optional={"tag": TEXT})),
        max_size=2,
    )
)
@RELAXED
def test_a_whole_body_is_read_back(lines: Any) -> None:
    result = read(built(operation("replace"), {"order": "a", "part": 1, "body": lines}))
    assert result.body == lines


@pytest.mark.parametrize(
    "arguments",
    [
        {"sku": "a"},
        {"sku": "", "count": 1},
        {"sku": "a", "count": 0},
        {"sku": "a", "count": 1, "id": "mine"},
        {"sku": "a", "count": 1, "limit": 10},
        {"sku": "a", "count": 1, "more": 1},
        {"sku": "a", "count": 1, "parts": [{"sku": "a"}]},
        {"sku": "a", "count": 1, "parts": [{"sku": "a", "count": 1, "id": "mine"}]},
    ],
)
def test_what_the_document_forbids_is_not_an_argument(arguments: Any) -> None:
    accepts = compile_shape(operation("write").arguments).is_valid
    assert accepts({"order": "o", "part": 1, "sku": "a", "count": 1})
    assert not accepts({"order": "o", "part": 1, **arguments})
