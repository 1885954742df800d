"""What operations of one document share is worked out once, and no operation can tell."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.openapi import compile_operations
from agentc.source import SourceFile

#: Names of which several become the same one in `$defs`.
NAMES = ("A", "A b", "A_b", "A/b", "B", "A_b_2")


def document(schemas: dict[str, Any], answers: list[str]) -> SourceFile:
    paths = {
        f"/{number}": {
            "get": {
                "operationId": f"op{number}",
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": reference(name)}}}
                },
            }
        }
        for number, name in enumerate(answers)
    }
    made = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }
    return SourceFile("a.json", json.dumps(made).encode())


def reference(name: str) -> dict[str, Any]:
    return {"$ref": "#/components/schemas/" + name.replace("/", "~1").replace(" ", "%20")}


PART = st.sampled_from(NAMES).map(reference) | st.sampled_from([{"type": "string"}, {"nullable": True}, 5])
SCHEMA = st.fixed_dictionaries(
    {},
    optional={
        "properties": st.dictionaries(st.sampled_from("abc"), PART, max_size=3),
        "allOf": st.lists(PART, max_size=2),
        "items": PART,
    },
)


@given(
    schemas=st.fixed_dictionaries(dict.fromkeys(NAMES, SCHEMA)),
    answers=st.lists(st.sampled_from(NAMES), min_size=3, max_size=3),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
def test_law_an_answer_is_the_same_whatever_was_compiled_before(schemas: Any, answers: Any) -> None:
    file = document(schemas, answers)
    names = ["op0", "op1", "op2"]
    alone = {name: compile_operations(file, [name], None) for name in names}
    for order in permutations(names):
        together = compile_operations(file, order, None)
        for name in names:
            assert together.operations[name] == alone[name].operations[name]
            assert together.operation_problems[name] == alone[name].operation_problems[name]
