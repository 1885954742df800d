"""Small documents, and what is compiled out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agentc.openapi import CompiledOperation, Problem, compile_operations
from agentc.source import SourceFile

Compile = Callable[..., CompiledOperation]
Problems = Callable[..., tuple[Problem, ...]]


def _document(operation: dict[str, Any], rest: dict[str, Any]) -> SourceFile:
    path = rest.pop("path", "/things")
    method = rest.pop("method", "post")
    item = {method: {"operationId": "op", "responses": {"204": {"description": "done"}}, **operation}}
    item |= rest.pop("item", {})
    document = {
        "openapi": rest.pop("openapi", "3.0.3"),
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {path: item},
        **rest,
    }
    return SourceFile("api.json", json.dumps(document).encode())


@pytest.fixture
def document() -> Callable[..., SourceFile]:
    """`document({operation}, path=…, method=…, item=…, components=…)`: a file with the one operation `op`."""
    return lambda operation, **rest: _document(operation, rest)


@pytest.fixture
def compiled() -> Compile:
    """`compiled({operation}, …)`: the operation, which must compile."""

    def compile_one(operation: dict[str, Any], **rest: Any) -> CompiledOperation:
        result = compile_operations(_document(operation, rest), ["op"], None)
        assert not result.problems
        assert not result.operation_problems["op"]
        found = result.operations["op"]
        assert found is not None
        return found

    return compile_one


@pytest.fixture
def problems() -> Problems:
    """`problems({operation}, …)`: why the operation does not compile."""

    def compile_one(operation: dict[str, Any], **rest: Any) -> tuple[Problem, ...]:
        result = compile_operations(_document(operation, rest), ["op"], None)
        assert not result.problems
        assert result.operations["op"] is None
        assert result.operation_problems["op"]
        return result.operation_problems["op"]

    return compile_one


@pytest.fixture
def body_schema(compiled: Compile) -> Callable[..., dict[str, Any]]:
    """`body_schema(schema, …)`: the argument schema of an operation whose required JSON body is `schema`."""

    def of(schema: object, **rest: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": schema}}
        return compiled({"requestBody": {"required": True, "content": content}}, **rest).arguments

    return of
