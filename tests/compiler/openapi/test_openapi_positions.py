"""A pointer leads to a line and a column, in JSON and in YAML alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.openapi import Problem, problem_span
from agentc.openapi.position import position
from agentc.source import SourceFile

JSON = b'{\n  "a": {"b/c": [1, "x", {"d": null}]},\n  "\xc3\xa9": "\xc3\xa9\xc3\xa9", "e": true}\n'
YAML = (
    b"a:\n  b/c: [1, x, {d: null}]\n\xc3\xa9: '\xc3\xa9\xc3\xa9'\ne: |\n  two\n  lines\nf: &f {g: 1}\nh: *f\n"
)


@pytest.mark.parametrize(
    ("data", "pointer", "place"),
    [
        (JSON, (), (1, 1, 2)),
        (JSON, ("a",), (2, 3, 6)),
        (JSON, ("a", "b/c"), (2, 9, 14)),
        (JSON, ("a", "b/c", "0"), (2, 17, 18)),
        (JSON, ("a", "b/c", "1"), (2, 20, 23)),
        (JSON, ("a", "b/c", "2"), (2, 25, 26)),
        (JSON, ("a", "b/c", "2", "d"), (2, 31, 35)),
        (JSON, ("é",), (3, 8, 12)),
        (JSON, ("e",), (3, 19, 23)),
        (JSON, ("a", "gone", "deeper"), (2, 3, 6)),
        (JSON, ("a", "b/c", "9"), (2, 9, 14)),
        (JSON, ("e", "x"), (3, 19, 23)),
        (b'\xef\xbb\xbf{"a": 1}', ("a",), (1, 7, 8)),
        (YAML, (), (1, 1, 2)),
        (YAML, ("a",), (1, 1, 2)),
        (YAML, ("a", "b/c"), (2, 3, 6)),
        (YAML, ("a", "b/c", "1"), (2, 12, 13)),
        (YAML, ("a", "b/c", "2", "d"), (2, 19, 23)),
        (YAML, ("é",), (3, 4, 8)),
        (YAML, ("e",), (4, 1, 2)),
        (YAML, ("h", "g"), (8, 1, 2)),
        (YAML, ("a", "gone"), (1, 1, 2)),
        (b"{a: 1, b: [2]}", ("b", "0"), (1, 12, 13)),
        (b"", ("a",), (1, 1, 2)),
        (b"{", ("a",), (1, 1, 2)),
        (b"a: [", ("a", "0"), (1, 1, 2)),
        (b"\xff\xfe\x00", ("a",), (1, 1, 2)),
    ],
)
def test_positions(data: bytes, pointer: Any, place: Any) -> None:
    assert tuple(position(data, pointer)) == place


def test_a_problem_s_span_is_its_pointer_s_or_its_own() -> None:
    file = SourceFile("api.json", JSON)
    assert problem_span(file, Problem("AC705", "m", ("e",)))[:3] == ("api.json", 3, 19)
    assert problem_span(file, Problem("AC701", "m", place=(4, 5, 9))) == ("api.json", 4, 5, 4, 9)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_scalar_of_a_json_text_is_found(value: Any, indent: int | None, ascii_only: bool) -> None:
    """What stands at the place of a scalar is its JSON text."""
    text = json.dumps({"root": value}, indent=indent, ensure_ascii=ascii_only)
    lines = text.split("\n")
    waiting: list[tuple[tuple[str, ...], Any]] = [(("root",), value)]
    while waiting:
        pointer, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [((*pointer, key), item) for key, item in node.items()]
        elif isinstance(node, list):
            waiting += [((*pointer, str(index)), item) for index, item in enumerate(node)]
        else:
            line, column, end = position(text.encode(), pointer)
            assert json.loads(lines[line - 1][column - 1 : end - 1]) == node
