"""Keys that stand twice: whatever reaches one of them is refused at its place, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentc.openapi import DocumentResult, compile_operations, problem_span
from agentc.openapi.position import duplicate_keys, position
from agentc.openapi.yamldata import compose
from agentc.source import SourceFile

DOCUMENT = """\
openapi: 3.1.0
info: {title: A}
paths:
  /a:
    get:
      operationId: a
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
  /b:
    get:
      operationId: b
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/B'}}}}
  /c: {$ref: '#/components/pathItems/C'}
components:
  pathItems:
    C:
      get: {operationId: c}
  schemas:
    A: {type: object, properties: {description: {type: string}, example: {type: string}}}
    B:
      type: object
"""


def run(text: str) -> tuple[SourceFile, DocumentResult]:
    file = SourceFile("api.yaml", text.encode())
    return file, compile_operations(file, ["a", "b", "c"], None)


@pytest.mark.parametrize(
    ("before", "after", "stopped"),
    [
        ("    B:\n", "    B:\n      type: string\n", "b"),
        ("    A: {", "    A: {type: array, ", "a"),
        ("    A: {", "    A: {}\n    A: {", "a"),
        ("    B:\n", "    C: {}\n    C: {}\n    B:\n", ""),
        ("      operationId: a\n", "      operationId: a\n      operationId: d\n", "a"),
        ("    get:\n      operationId: a\n", "    get: {}\n    get:\n      operationId: d\n", "a"),
        ("      get: {operationId: c}", "      get: {operationId: c}\n      get: {}", "c"),
        ("  /c: {", "  /c: {$ref: '#/components/pathItems/C', ", "c"),
        ("properties: {", "properties: {description: {}, ", "a"),
        ("properties: {", "properties: {example: {}, ", "a"),
        ("info: {", "info: {title: B, ", ""),
        ("    B:\n", "    B:\n      example: {a: 1, a: 2}\n", ""),
        ("    B:\n", "    B:\n      x-data: {a: 1, a: 2}\n", ""),
        ("    B:\n", "    B:\n      default: {a: 1, a: 2}\n", "b"),
        ("    B:\n", "    B:\n      enum: [{}, {a: 1, a: 2}]\n", "b"),
    ],
)
def test_only_what_reaches_a_lost_value_is_refused(before: str, after: str, stopped: str) -> None:
    assert before in DOCUMENT
    file, result = run(DOCUMENT.replace(before, after, 1))
    assert not result.problems
    found = {name: problems for name, problems in result.operation_problems.items() if problems}
    assert "".join(found) == stopped
    for problems in found.values():
        (problem,) = problems
        assert problem.code == "AC701"
        line = file.lines[problem_span(file, problem).line - 1]
        assert line.strip() in DOCUMENT.replace(before, after, 1)


def test_a_second_description_is_noted() -> None:
    file, result = run(DOCUMENT.replace("    B:\n", "    B:\n      description: x\n      description: y\n"))
    operation = result.operations["b"]
    assert operation is not None
    (note,) = operation.notes
    assert "`description` twice" in note.message
    span = problem_span(file, note)
    assert file.lines[span.line - 1] == "      description: y"
    assert (span.column, span.end_column) == (7, 18)


def test_operations_that_may_be_lost_are_not_unknown() -> None:
    _, result = run(
        DOCUMENT.replace("  /b:\n", "  /a: {get: {operationId: b}}\n  /d:\n").replace(": b\n", ": d\n")
    )
    assert result.operations["a"] is None
    assert result.operations["b"] is None
    (problem,) = result.operation_problems["b"]
    assert problem.pointer == ("paths", "/a")


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT + "paths: {}\n",
        DOCUMENT + "  schemas: {}\n",
        DOCUMENT + "info: {}\n",
        DOCUMENT.replace("    B:\n", "    B: &b\n      type: string\n"),
        DOCUMENT.replace("    B:\n", "    B:\n      <<: {title: a, title: b}\n"),
    ],
)
def test_what_may_concern_everything_is_refused_as_a_whole(text: str) -> None:
    _, result = run(text)
    (problem,) = result.problems
    assert problem.code == "AC701"
    assert problem.place is not None


@pytest.mark.parametrize("escaped", [False, True])
def test_json_is_read_alike(escaped: bool) -> None:
    first = '"a": {"list": [1, {"x": 1}, {"x": 1, "y": [2, 3], "x": {"z": 1, "z": 2}}]}'
    last = '"\\u0022:": 1' if escaped else '"d": 1'
    text = f'{{{first}, "b": {{"c": 1, "c": 2}}, {last}}}'
    found = duplicate_keys(text.encode())
    assert [one.pointer for one in found] == [
        ("a", "list", "2", "x"),
        ("a", "list", "2", "x", "z"),
        ("b", "c"),
    ]
    _, by_yaml = compose(text.encode())
    assert by_yaml == found


def test_each_duplicate_of_json_stops_what_reaches_it() -> None:
    text = json.dumps(
        {
            "openapi": "3.0.0",
            "paths": {"/a": {"get": {"operationId": "a"}}, "/b": {"get": {"operationId": "b"}}},
        }
    )
    file = SourceFile(
        "a.json",
        text.replace('"operationId": "b"', '"operationId": "b", "deprecated": 1, "deprecated": 2').encode(),
    )
    result = compile_operations(file, ["a", "b"], None)
    assert result.operations["a"] is not None
    (problem,) = result.operation_problems["b"]
    assert problem_span(file, problem).column > position(file.data, ("paths", "/b", "get")).column


def test_too_many_are_refused_as_a_whole() -> None:
    pairs: Any = ", ".join('"k": 1' for _ in range(5000))
    result = compile_operations(
        SourceFile("a.json", f'{{"openapi": "3.0.0", "x": {{{pairs}}}}}'.encode()), [], None
    )
    (problem,) = result.problems
    assert problem.code == "AC701"
