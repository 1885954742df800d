"""Files made to take the compiler's time, memory or life: each ends in one clear finding."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc.checks.ac108_too_large import MAX_BYTES, MAX_DEPTH, MAX_NODES
from agentc.diagnostics import Diagnostic
from agentc.parse import parse_documents, suppressions
from agentc.source import Document, Map, Node, Scalar, SourceFile, to_data
from agentc.yaml_events import c_events, python_events

LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefghijklmnopqrstuv", "bcdefghijklmnopqrstuvw", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 200_000, "AC108"),
        ("{a: " * 50_000, "AC108"),
        ("- " * 100_000, "AC108"),
        ("? " * 100_000, "AC108"),
        ("{" * 200_000, "AC108"),
        ("- a\n" * (MAX_NODES + 1), "AC108"),
        (LAUGHS, "AC108"),
        ("x" * (MAX_BYTES + 1), "AC108"),
        ("'" * 1_000_000, None),
        ("a: |\n" + "\n" * 1_000_000, None),
        ("---\n'\n" * 10_000, "AC101"),
        ("&a " * 100_000, "AC101"),
        ("!a " * 100_000, "AC101"),
        ("*a : " * 100_000, "AC101"),
        ("[" + "&a 1, *a, " * 20_000, "AC101"),
        ("\x07\n" * 100_000, "AC107"),
        ("# agentc: ignore AC501\n" * 50_000, None),
    ],
    ids=lambda value: repr(value[:12]) if value else "-",
)
def test_bounded(text, code):
    file = SourceFile("a.yaml", text.encode())
    documents, found = parse_documents(file)
    assert len(found) <= 1000
    assert code in {f.code for f in found} or (code is None and not found)
    assert all(len(repr(to_data(document.root))) < 10 * MAX_BYTES for document in documents)
    suppressions(file)


def test_a_bomb_of_aliases_is_counted_before_it_is_expanded():
    documents, found = parse_documents(SourceFile("a.yaml", LAUGHS.encode()))
    assert documents == ()
    assert [f.message for f in found if f.code == "AC108"] == [
        f"more than {MAX_NODES:,} values; the rest of the file is not read"
    ]


def test_aliases_can_not_pass_the_depth():
    deep = "a: &a " + "[" * 40 + "]" * 40 + "\nb: &b " + "[" * 40 + "*a" + "]" * 40 + "\n"
    _, found = parse_documents(SourceFile("a.yaml", deep.encode()))
    assert "AC108" in {f.code for f in found}


def test_the_depth_that_is_allowed():
    fits = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert not parse_documents(SourceFile("a.yaml", fits.encode()))[1]
    (finding,) = parse_documents(SourceFile("a.yaml", f"[{fits}]".encode()))[1]
    assert finding.span[1:] == (1, MAX_DEPTH + 1, 1, MAX_DEPTH + 2)


def test_the_collector_is_left_as_it_was():
    parse_documents(SourceFile("a.yaml", b"a: 1"))
    assert gc.isenabled()
    gc.disable()
    try:
        parse_documents(SourceFile("a.yaml", b"a: ["))
        assert not gc.isenabled()
    finally:
        gc.enable()


PIECES = [*"ab01:-?[]{},#&*!|>'\"%@` \n\t\r\\~.<=", "\n  ", ": ", "- ", "---\n", "é", "日", "\u2028"]
YAMLISH = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def _inside(file: SourceFile, documents: tuple[Document, ...], found: tuple[Diagnostic, ...]) -> None:
    spans = [f.span for f in found]
    spans += [note.span for f in found for note in f.notes if note.span]
    spans += [edit.span for f in found for edit in f.edits]
    waiting: list[Node] = [document.root for document in documents]
    while waiting:
        node = waiting.pop()
        spans.append(node.span)
        if isinstance(node, Map):
            waiting += [part for entry in node.entries.values() for part in entry]
        elif not isinstance(node, Scalar):
            waiting += node.items
    for span in spans:
        assert 1 <= span.line <= span.end_line <= len(file.lines), span
        assert 1 <= span.column <= len(file.lines[span.line - 1]) + 1, span
        assert 1 <= span.end_column <= len(file.lines[span.end_line - 1]) + 2, span
        assert (span.line, span.column) <= (span.end_line, span.end_column), span


@settings(max_examples=400, deadline=None)
@given(YAMLISH | st.text(max_size=40), st.booleans())
def test_any_text_is_read_or_refused_at_a_place_in_it(text, ends):
    file = SourceFile("a.yaml", (text + "\n" * ends).encode(errors="replace"))
    documents, found = parse_documents(file)
    _inside(file, documents, found)
    for document in documents:
        to_data(document.root)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    file = SourceFile("a.yaml", data)
    documents, found = parse_documents(file)
    _inside(file, documents, found)
    suppressions(SourceFile("a.yaml", data + b"\n# agentc: ignore AC501 - x"))


@settings(max_examples=150, deadline=None)
@given(YAMLISH)
def test_the_parser_in_python_says_the_same(text):
    """Where the C extension is missing, what is accepted means the same."""
    file = SourceFile("a.yaml", text.encode())
    documents, found = parse_documents(file, events=c_events)
    others, other_found = parse_documents(file, events=python_events)
    if not found and not other_found:
        assert [to_data(d.root) for d in documents] == [to_data(d.root) for d in others]
        assert [(d.root.span.line, d.root.span.column) for d in documents] == [
            (d.root.span.line, d.root.span.column) for d in others
        ]
    _inside(file, others, other_found)


@pytest.mark.parametrize("escape", ['"\\ud800"', '"\\UFFFFFFFF"', '"\\U00110000"'])
def test_impossible_characters_are_refused_by_both_parsers(escape):
    file = SourceFile("a.yaml", f"a: {escape}\n".encode())
    for events in (c_events, python_events):
        documents, (finding,) = parse_documents(file, events=events)
        assert documents == ()
        assert finding.code == "AC101"
