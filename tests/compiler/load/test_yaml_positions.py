"""Every key and value knows where it stands, as an editor counts."""

import pytest

from agentc.source import Map, Scalar, Sequence, span_at, to_data

TEXT = """\
# a comment
name: desk   # trailing
nested:
  - first: 1
    second: "two"
  - [a, 'b', {c: d}]
prompt: |
  line one

  line two

folded: >-   # a header comment
  x
empty:
last: ünï 日本 \U0001f600 end
"""


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        (("name",), False, "desk"),
        (("name",), True, "name"),
        (("nested",), False, "- first: 1\n    second: \"two\"\n  - [a, 'b', {c: d}]"),
        (("nested", 0), False, 'first: 1\n    second: "two"'),
        (("nested", 0, "second"), False, '"two"'),
        (("nested", 1), False, "[a, 'b', {c: d}]"),
        (("nested", 1, 2), False, "{c: d}"),
        (("nested", 1, 2, "c"), False, "d"),
        (("prompt",), False, "|\n  line one\n\n  line two"),
        (("folded",), False, ">-   # a header comment\n  x"),
        (("empty",), False, ""),
        (("last",), False, "ünï 日本 \U0001f600 end"),
    ],
)
def test_spans_cover_what_they_name(parse, cut, path, key, expected):
    (document,), found = parse(TEXT)
    assert not found
    assert cut(TEXT, span_at(document.root, path, key=key)) == expected


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_move_positions(parse, ending, mark):
    plain = parse("a: 1\nb:\n  - no\nc: x")
    other = parse(mark + ending.join(["a: 1", "b:", "  - no", "c: x"]))
    assert other[1] == plain[1]
    assert other[0][0].root == plain[0][0].root


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_line_breaks_that_only_yaml_1_1_knows_are_refused_and_count_as_a_character(parse, separator):
    documents, found = parse(f"a: x{separator}b\nc: no\n")
    assert [(f.code, *f.span[1:]) for f in found] == [("AC107", 1, 5, 1, 6), ("AC109", 2, 4, 2, 6)]
    assert to_data(documents[0].root) == {"a": "x\ufffdb", "c": "no"}


def test_a_tab_is_one_column(parse):
    (document,), _ = parse("a:\tb\n")
    assert document.root.entries["a"][1].span[1:] == (1, 4, 1, 5)


@pytest.mark.parametrize(
    "text", ["a: |\n  x", "a: |\n  x\n\n", "a: |\n  x\n  \n", "a: |\n  x\nb: 1", "a: >+\n  x\n\n"]
)
def test_a_block_of_text_ends_with_its_last_line(parse, text):
    (document,), _ = parse(text)
    value = document.root.entries["a"][1]
    assert (value.span.line, value.span.column, value.span.end_line, value.span.end_column) == (1, 4, 2, 4)
    assert value.block
    assert value.quoted


def test_documents_of_one_file(parse):
    documents, found = parse("# head\n---\na: 1\n---\n# empty\n---\n- b\n...\n---\nc\n")
    assert [(document.line, to_data(document.root)) for document in documents] == [
        (3, {"a": 1}),
        (7, ["b"]),
        (10, "c"),
    ]
    assert not found


def test_node_types(parse):
    (document,), _ = parse("a: [1, x]\n")
    assert isinstance(document.root, Map)
    key, items = document.root.entries["a"]
    assert isinstance(key, Scalar)
    assert isinstance(items, Sequence)
    assert [(item.value, item.text, item.quoted) for item in items.items] == [
        (1, "1", False),
        ("x", "x", False),
    ]
