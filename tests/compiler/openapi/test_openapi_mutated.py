"""Documents that were right once: whatever is changed in them, each operation compiles or has a place."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.openapi import DocumentResult, compile_operations, problem_span
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

REF = {"$ref": "#/components/schemas/Order"}
RICH: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://{region}.example.com", "variables": {"region": {"default": "eu"}}}],
    "security": [{"key": []}, {"oauth": ["write"]}],
    "paths": {
        "/orders/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "read",
                "parameters": [
                    {"name": "f", "in": "query", "style": "deepObject", "explode": True, "schema": REF},
                    {"name": "ids", "in": "query", "style": "form", "explode": False, "schema": {
                        "type": "array", "items": {"type": "integer", "minimum": 1}}},
                    {"name": "q", "in": "query", "content": {"application/json": {"schema": REF}}},
                    {"name": "X-H", "in": "header", "required": True, "schema": {"enum": ["a", "b"]}},
                    {"name": "c", "in": "cookie", "schema": {"type": "string", "pattern": "^a+$"}},
                ],
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": REF}}},
                    "default": {"$ref": "#/components/responses/Error"},
                },
            },
            "put": {
                "operationId": "write",
                "requestBody": {"required": True, "content": {"application/json": {"schema": REF}}},
                "responses": {"2XX": {"description": "", "content": {"text/plain": {}}}},
            },
            "patch": {
                "operationId": "form",
                "requestBody": {"content": {
                    "multipart/form-data": {
                        "schema": {"type": "object", "properties": {
                            "file": {"type": "string", "format": "binary"}, "order": REF}},
                        "encoding": {"file": {"contentType": "image/png, image/*"},
                                     "order": {"style": "form"}},
                    },
                    "application/x-www-form-urlencoded": {"schema": REF},
                }},
                "responses": {"204": {"description": ""}},
            },
        },
        "/pets#more": {"post": {
            "operationId": "pet",
            "requestBody": {"content": {"application/json": {"schema": {
                "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
                "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat"}}}}}},
            "responses": {"200": {"description": "", "content": {
                "application/x-ndjson": {"itemSchema": REF}}}},
        }},
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "responses": {"Error": {"description": "", "content": {"application/json": {"schema": REF}}}},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "oauth": {"type": "oauth2", "flows": {"clientCredentials": {
                "tokenUrl": "https://example.com/t", "scopes": {"write": ""}}}},
        },
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["sku"],
                "properties": {
                    "sku": {"type": "string", "minLength": 1, "maxLength": 9, "default": "a"},
                    "parts": {"type": "array", "items": REF, "maxItems": 3},
                    "at": {"type": ["string", "null"], "format": "date-time"},
                    "price": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
                    "made": {"type": "string", "readOnly": True},
                },
                "additionalProperties": {"type": "string"},
            },
            "Cat": {"allOf": [REF, {"properties": {"kind": {"type": "string"}}, "if": {"required": ["at"]},
                                    "then": {"minProperties": 2}}]},
            "Dog": {"type": "object", "properties": {"kind": {"const": "Dog"}}, "not": {"required": ["sku"]},
                    "patternProperties": {"^x-": True}, "dependentSchemas": {"kind": {"maxProperties": 4}}},
        },
    },
}  # fmt: skip
OLD: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Shop", "version": "1"},
    "host": "example.com",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "securityDefinitions": {"basic": {"type": "basic"},
                            "key": {"type": "apiKey", "in": "query", "name": "k"}},
    "security": [{"basic": [], "key": []}],
    "paths": {"/a/{b}": {
        "parameters": [{"name": "b", "in": "path", "required": True, "type": "string"}],
        "post": {
            "consumes": ["multipart/form-data"],
            "parameters": [
                {"name": "f", "in": "formData", "type": "file"},
                {"name": "l", "in": "query", "type": "array", "collectionFormat": "multi",
                 "items": {"type": "integer"}},
            ],
            "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/A"}}},
        },
        "put": {
            "parameters": [{"$ref": "#/parameters/P"}],
            "responses": {"default": {"$ref": "#/responses/R"}},
        },
    }},
    "parameters": {"P": {"name": "p", "in": "body", "schema": {"$ref": "#/definitions/A"}}},
    "responses": {"R": {"description": "", "schema": {
        "type": "array", "items": {"$ref": "#/definitions/A"}}}},
    "definitions": {"A": {"type": "object", "discriminator": "t", "required": ["t"], "x-nullable": True,
                          "properties": {"t": {"type": "string"}, "a": {"$ref": "#/definitions/A"}}}},
}  # fmt: skip
ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**70, 1e308, 0.1, "", "a", "#", "#/", "\ud800", "\x00", "é" * 100, "$ref"),
    *([], {}, [[]], [None], {"$ref": "#"}, {"$ref": ""}, {"$ref": 5}, {"": {}}, {"a": None}, [{}] * 50),
    *("object", "array", "null", "(a+)+$", "(?=a)", "[", "..", "/../x", "{", "{id}", "file:///etc/passwd"),
    *("http://127.0.0.1/", "http://[::1", "//x", "\n", "*/*", "text/*", "multipart/", ";", "a/b;charset=x"),
]


BYTES = [b"", b"{", b"}", b'"', b",", b":", b"\xff", b"\x00", b"- ", b"\n", b"&a "]


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document but its top."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [one for key, part in inner for one in [(*at, key), *places(part, (*at, key))]]


def mutated(document: dict[str, Any], random: Random) -> dict[str, Any]:
    """A copy in which some values were replaced, moved, copied, renamed or removed."""
    made = copy.deepcopy(document)
    for _ in range(random.randint(1, 3)):
        known = places(made)
        if not known:
            break
        *way, key = random.choice(known)
        holder = made
        for step in way:
            holder = holder[step]
        what = random.randrange(5)
        if what == 0:
            del holder[key]
        elif what == 1:
            holder[key] = copy.deepcopy(random.choice(ODD))
        elif what == 2:
            value: Any = made
            for step in random.choice(known):
                value = value[step] if not isinstance(value, str) else value
            holder[key] = copy.deepcopy(value)
        elif what == 3 and isinstance(holder, dict):
            holder[str(random.choice(ODD))] = holder.pop(key)
        else:
            holder[key] = [holder[key]] * random.randint(1, 3)
    return made


def looked_at(file: SourceFile) -> DocumentResult:
    """Every operation of a file; asserts that each is usable or has a place in the file."""
    names = compile_operations(file, (), None).names()
    asked = [*names, "GET /orders/{id}", "read", "PUT /a/{b}"]
    result = compile_operations(file, asked, None)
    for problem in result.problems:
        assert problem_span(file, problem).line >= 1
    for name, found in result.operations.items():
        for problem in result.operation_problems[name]:
            assert problem_span(file, problem).line >= 1
        if found is not None:
            compile_shape(found.arguments)
            for note in found.notes:
                problem_span(file, note)
            for case in found.responses:
                compile_shape(case.schema or {})
    return result


@pytest.mark.parametrize("document", [RICH, OLD])
def test_the_documents_are_right(document: dict[str, Any]) -> None:
    result = looked_at(SourceFile("a.json", json.dumps(document).encode()))
    for name in result.names():
        assert result.operations[name] is not None, result.operation_problems[name]


@pytest.mark.parametrize("document", [RICH, OLD])
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_a_changed_document_never_crashes(document: dict[str, Any], random: Random) -> None:
    looked_at(SourceFile("a.json", json.dumps(mutated(document, random)).encode()))


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_a_changed_text_never_crashes(random: Random) -> None:
    data = bytearray(json.dumps(random.choice([RICH, OLD]), indent=1).encode())
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(data))
        end = min(len(data), start + random.choice([0, 1, 1, 2, 20]))
        data[start:end] = random.choice(BYTES)
    looked_at(SourceFile(random.choice(["a.json", "a.yaml"]), bytes(data)))
