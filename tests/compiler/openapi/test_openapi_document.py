"""Bytes to a document: JSON and YAML, and everything that is refused with its place."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.openapi import Problem, compile_operations
from agentc.openapi.document import Document, entries, load_document
from agentc.openapi.slicing import slice_operation
from agentc.openapi.yamldata import MAX_DEPTH, YamlError, compose
from agentc.source import SourceFile

HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"


def load(text: str | bytes, name: str = "api.yaml") -> Document | Problem:
    return load_document(name, text.encode() if isinstance(text, str) else text)


def test_yaml_keys_are_strings_as_written_and_scalars_are_core() -> None:
    value, _ = compose(
        b"200: a\nyes: no\nnull: ~\n1.0: 0o17\non: 0x1F\nt: 2001-01-01\n"
        b"f: 1e3\ng: .5\nh: '1'\ni: !!str 1\nj: 012\nk:\nl: True\n"
    )
    assert value == {
        "200": "a",
        "yes": "no",
        "null": None,
        "1.0": 15,
        "on": 31,
        "t": "2001-01-01",
        "f": 1000.0,
        "g": 0.5,
        "h": "1",
        "i": "1",
        "j": 12,
        "k": None,
        "l": True,
    }


def test_anchors_aliases_and_merge_keys_are_followed() -> None:
    value, _ = compose(b"a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}], x: 0}\n")
    assert value == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3},
        "d": {"x": 0, "y": 2, "z": 4},
    }


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a: &x\n  b: 1\n  b: 2\n", "duplicate key `b`", (3, 3)),
        ("a: {<<: {b: 1, 'b': 2}}\n", "duplicate key `b`", (1, 16)),
        ("a: {" + "b: 1, " * 1002 + "}", "duplicate key `b`", (1, 6 * 1001 + 5)),
        ("{<<: {}, <<: {}}", "duplicate key `<<`", (1, 10)),
        ("a: !!python/object:os.system x\n", "tag", (1, 4)),
        ("a: !include x\n", "tag", (1, 4)),
        ("a: !!set {x}\n", "tag", (1, 4)),
        ("? [a]\n: 1\n", "key has to be a plain scalar", (1, 3)),
        ("a: *b\n", "anchor", (1, 4)),
        ("a: &a [*a]\n", "stands inside", (1, 8)),
        ("a: .inf\n", "not a JSON number", (1, 4)),
        ("a: 1e999\n", "too large", (1, 4)),
        ("a: " + "9" * 5000, "too many digits", (1, 4)),
        ("a: 1\n---\nb: 2\n", "more than one", (2, 1)),
        ("a: {<<: 5}\n", "map", (1, 9)),
        ("a: [1\nb: 2", "", (2, 2)),
        ("", "empty", (1, 1)),
        ("a: \x07", "", (1, 1)),
        ("[" * (MAX_DEPTH + 1), "nested deeper", (1, MAX_DEPTH + 1)),
        ("[" * 200_000, "nested deeper", (1, MAX_DEPTH + 1)),
    ],
)
def test_yaml_that_is_not_read_has_its_place(text: str, words: str, place: Any) -> None:
    with pytest.raises(YamlError) as found:
        compose(text.encode())
    assert words in str(found.value)
    assert (found.value.line, found.value.column) == place


def test_a_yaml_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(YamlError, match="values once the aliases are followed"):
        compose("\n".join(lines).encode())


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#,? \n\t<%@`0.~", max_size=60))
def test_any_text_is_composed_or_refused(text: str) -> None:
    with contextlib.suppress(YamlError):
        compose(text.encode())


@given(st.binary(max_size=80))
def test_any_bytes_are_loaded_or_refused(data: bytes) -> None:
    for name in ("a.json", "a.yaml"):
        found = load_document(name, data)
        assert isinstance(found, Problem)
        assert found.code == "AC701"


@pytest.mark.parametrize(
    ("text", "words", "pointer"),
    [
        ("swagger: '1.2'\npaths: {}\n", "`1.2` is not supported", ("swagger",)),
        ("openapi: 3.3.0\n", "`3.3.0` is not supported", ("openapi",)),
        ("openapi: '2.0'\n", "`2.0` is not supported", ("openapi",)),
        ("openapi: 4.0.0\n", "`4.0.0` is not supported", ("openapi",)),
        ("openapi: [3]\n", "no `openapi` version", ()),
        ("info: {}\n", "no `openapi` version", ()),
        ("[]\n", "holds no object", ()),
        ("5\n", "holds no object", ()),
        (HEAD + "paths: []\n", "`paths` has to be an object", ("paths",)),
    ],
)
def test_what_is_no_supported_document_is_said(text: str, words: str, pointer: Any) -> None:
    found = load(text)
    assert isinstance(found, Problem)
    assert words in found.message
    assert (found.code, found.pointer) == ("AC701", pointer)


@pytest.mark.parametrize(
    ("data", "words", "place"),
    [
        (b"", "empty", (1, 1)),
        (b" \n ", "empty", (1, 1)),
        (b'{"a": 1,\n "b": }', "not JSON", (2, 7)),
        (b'{"a": "\xff"}', "UTF-8", (1, 8)),
        (b'{"a": NaN}', "not JSON", (1, 7)),
        (b"\x00\x01\x02", "", (1, 1)),
        (b"[" * 100_000, "nested too deeply", (1, MAX_DEPTH + 1)),
        (b'{"a":' * 100_000, "nested too deeply", (1, 5 * MAX_DEPTH + 1)),
        (b'{"a": 1,\n "a": 2}', "key `a` twice", (2, 2)),
        (b'{"b": 1, "\\u0062": 2}', "key `b` twice", (1, 10)),
        (b'{"x": "\\u0022:", "b": 1, "b": 2}', "key `b` twice", (1, 26)),
        (b'{"x": "\\"\\u003A", "b": 1, "b": 2}', "key `b` twice", (1, 27)),
    ],
)
def test_json_that_is_not_read_has_its_place(data: bytes, words: str, place: Any) -> None:
    found = load_document("a.json", data)
    assert isinstance(found, Problem)
    assert words in found.message
    assert found.place is not None
    assert found.place[:2] == place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(alphabet='a":\\u0', max_size=4), JSON, max_size=4))
def test_documents_without_duplicates_are_never_refused_for_them(value: Any) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"openapi": "3.0.0", "x": value}, ensure_ascii=ascii_only)
        assert isinstance(load_document("a.json", text.encode(errors="surrogatepass")), Document)


def test_a_byte_order_mark_and_an_unquoted_version_are_read() -> None:
    assert isinstance(load("\ufeff" + HEAD), Document)
    found = load("openapi: 3.1\n")
    assert isinstance(found, Document)
    assert found.version == "3.1"


def test_json_in_a_yaml_file_and_flow_yaml_are_read() -> None:
    assert isinstance(load('{"openapi": "3.0.0"}'), Document)
    assert isinstance(load("{openapi: 3.0.0}"), Document)


def test_a_slice_holds_what_the_operation_reaches_and_no_more() -> None:
    document = load(
        HEAD
        + """
security: [{key: []}]
paths:
  /a:
    parameters: [{$ref: '#/components/parameters/P'}]
    get:
      callbacks: {c: {$ref: '#/components/callbacks/C'}}
      responses: {'200': {$ref: '#/paths/~1b/get/responses/200'}}
    post: {}
  /b:
    get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}
components:
  parameters: {P: {name: p, in: query, schema: {$ref: '#/components/schemas/B/properties/x'}}, Q: {}}
  callbacks: {C: {}}
  securitySchemes: {key: {type: http, scheme: basic}, other: {}}
  schemas:
    A: {properties: {x: {$ref: '#/components/schemas/A'}, example: {$ref: '#/components/schemas/C'}}}
    B: {properties: {x: {type: string}}, example: {$ref: '#/components/schemas/D'}}
    C: {allOf: [{$ref: '#/components/schemas/Gone'}]}
    D: {}
"""
    )
    assert isinstance(document, Document)
    before = json.dumps(document.root)
    found, unread = entries(document)
    assert not unread
    sliced = slice_operation(document, found[0]).root
    components = sliced["components"]
    assert isinstance(components, dict)
    assert set(components["schemas"]) == {"A", "B", "C"}
    assert list(components["parameters"]) == ["P"]
    assert list(components["securitySchemes"]) == ["key"]
    assert "callbacks" not in components
    paths = sliced["paths"]
    assert isinstance(paths, dict)
    assert paths["/a"].keys() == {"parameters", "get"}
    assert "callbacks" not in paths["/a"]["get"]
    assert paths["/b"].keys() == {"get"}
    assert json.dumps(document.root) == before, "slicing changes nothing"


def test_path_items_by_reference_are_looked_into() -> None:
    text = HEAD + (
        "paths: {/a: {$ref: '#/components/pathItems/A'}, /b: {$ref: 'other.yaml#/b'}}\n"
        "components: {pathItems: {A: {get: {operationId: a}}}}\n"
    )
    result = compile_operations(SourceFile("a.yaml", text.encode()), ["a", "b"], None)
    assert result.operations["a"] is not None
    (problem,) = result.operation_problems["b"]
    assert (problem.code, problem.pointer) == ("AC708", ("paths", "/b", "$ref"))
