"""Swagger 2.0 and named schemas with wrong types everywhere: no crash, and each place is there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.openapi import compile_operations, problem_span
from agentc.openapi.problem import find
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

WORDS = [
    "$ref",
    "type",
    "items",
    "allOf",
    "properties",
    "required",
    "enum",
    "x-nullable",
    "parameters",
    "responses",
    "schema",
    "name",
    "in",
    "collectionFormat",
    "consumes",
    "produces",
    "schemes",
    "security",
    "200",
    "default",
    "format",
    "description",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$recursiveRef",
    "$dynamicAnchor",
    "$recursiveAnchor",
]
TEXTS = [
    "object",
    "array",
    "string",
    "file",
    "integer",
    "query",
    "path",
    "header",
    "formData",
    "body",
    "a",
    "#",
    "csv",
    "tsv",
    "multi",
    "pipes",
    "https",
    "x",
    "#a",
    "multipart/form-data",
    "application/json",
    "#/definitions/A",
    "#/definitions/B",
    "#/parameters/P",
    "#/responses/R",
    "#/paths/~1a/get",
]
SCALARS = st.none() | st.booleans() | st.integers(-2, 10) | st.sampled_from(["", *TEXTS])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)
PARAMETER = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", 1]),
        "in": st.sampled_from(["query", "path", "header", "formData", "body"]),
    },
    optional={
        "type": st.sampled_from(["array", "string", "file", "integer", "object"]),
        "items": ANYTHING,
        "collectionFormat": st.sampled_from(["csv", "tsv", "multi", "ssv", 5]),
        "required": st.booleans(),
        "schema": ANYTHING,
        "enum": ANYTHING,
    },
)
RESPONSES = st.dictionaries(st.sampled_from(["200", "default", "404"]), ANYTHING, max_size=2) | ANYTHING
OPERATION = st.fixed_dictionaries(
    {},
    optional={
        "parameters": st.lists(PARAMETER | ANYTHING, max_size=4),
        "responses": RESPONSES,
        **dict.fromkeys(("consumes", "produces", "security", "schemes"), ANYTHING),
    },
)
REST = ("security", "host", "basePath", "schemes", "consumes", "produces", "securityDefinitions")


@given(
    operation=OPERATION,
    other=ANYTHING,
    schemas=st.dictionaries(st.sampled_from(["A", "B"]), ANYTHING),
    shared=st.tuples(ANYTHING, ANYTHING),
    rest=st.dictionaries(st.sampled_from(REST), ANYTHING),
    version=st.sampled_from([{"swagger": "2.0"}, {"openapi": "3.1.0"}, {"openapi": "3.2.0"}]),
)
@settings(max_examples=120, suppress_health_check=list(HealthCheck))
def test_wrong_types_everywhere_have_a_place(
    operation: Any, other: Any, schemas: Any, shared: Any, rest: Any, version: Any
) -> None:
    item = {"get": operation, "post": other, "parameters": other, "additionalOperations": other}
    root = {**version, "paths": {"/a/{a}": item, "/a": {"get": operation}}, "definitions": schemas}
    root |= {
        "components": {"schemas": schemas},
        "parameters": {"P": shared[0]},
        "responses": {"R": shared[1]},
    }
    root |= rest
    file = SourceFile("a.json", json.dumps(root).encode())
    names = ["GET /a/{a}", "POST /a/{a}", "GET /a", "200 /a/{a}"]
    result = compile_operations(file, names, None)
    assert not result.problems
    for name, found in result.operations.items():
        if found is not None:
            compile_shape(found.arguments)
            for case in found.responses:
                compile_shape(case.schema or {})
        for problem in result.operation_problems[name]:
            find(root, problem.pointer)
            assert problem_span(file, problem).line == 1
