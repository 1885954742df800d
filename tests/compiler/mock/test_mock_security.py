"""The mock asks for the credentials that the document asks for, wherever the document says it is served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from agentc.mock.service import Operation, Service
from agentc.mock.service import Request as Asked
from agentc.openapi import compile_operations
from agentc.openapi.slices import openapi_slices
from agentc.source import SourceFile

SCHEMES = {
    "token": {"type": "http", "scheme": "Bearer"},
    "password": {"type": "http", "scheme": "BASIC"},
    "app": {"type": "apiKey", "in": "header", "name": "X-App"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "tls": {"type": "mutualTLS"},
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example.com/x"},
    "strange": {"type": "telepathy"},
}
URL = "http://127.0.0.1:8931"


def served(security: Any, **operation: Any) -> Service:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {
            "/things": {
                "get": {
                    "operationId": "list",
                    "security": security,
                    "responses": {"204": {"description": "none"}},
                    **operation,
                }
            }
        },
        "components": {"securitySchemes": SCHEMES},
    }
    file = SourceFile("openapi.json", json.dumps(document).encode())
    compiled = compile_operations(file, ["list"], None).operations["list"]
    assert compiled is not None
    (root,) = openapi_slices(file, (), [compiled], URL)
    return Service([Operation(compiled, root, URL)], 0)


def status(service: Service, headers: Mapping[str, str]) -> int:
    return service.answer(Asked("GET", "/things", "", {"host": URL[7:], **headers}, b"")).status


TOKEN = {"authorization": "Bearer x"}
APP = {"x-app": "y"}


@pytest.mark.parametrize(
    ("security", "enough", "lacking"),
    [
        ([{"token": []}], TOKEN, APP),
        ([{"token": []}], {"authorization": "bearer x"}, {"authorization": "Basic eDp5"}),
        ([{"password": []}], {"authorization": "Basic eDp5"}, TOKEN),
        ([{"token": [], "app": []}], TOKEN | APP, TOKEN),
        ([{"token": [], "app": []}, {"session": []}], {"cookie": "sid=1"}, APP),
        ([{"tls": [], "token": []}], TOKEN, {}),
        ([{"strange": []}, {"token": []}], TOKEN, None),
        ([{"oidc": ["read"]}], {}, None),
        ([{"tls": []}], {}, None),
        ([{}, {"token": []}], {}, None),
        ([], {}, None),
    ],
)
def test_alternatives_and_combinations(security: Any, enough: Any, lacking: Any) -> None:
    service = served(security)
    assert status(service, enough) == 204
    if lacking is not None:
        assert status(service, lacking) == 400


@pytest.mark.parametrize("servers", [[{"url": "https://own.example.com/v2"}], [{"url": "/v3"}]])
def test_an_operation_with_a_server_of_its_own_is_served_here(servers: Any) -> None:
    assert status(served([{"token": []}], servers=servers), TOKEN) == 204
