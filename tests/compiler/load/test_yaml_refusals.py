"""What a spec may not hold: each with its place, and the rest of the file still checked."""

import pytest

from agentc.source import to_data


def test_a_duplicate_key_keeps_the_first_and_shows_it(parse):
    (document,), (finding,) = parse('a: 1\n"a": 2\nb: 3\n')
    assert (finding.code, finding.message, finding.span[1:]) == ("AC103", "duplicate key `a`", (2, 1, 2, 4))
    assert [(note.message, note.span[1:]) for note in finding.notes] == [("first one here", (1, 1, 1, 2))]
    assert to_data(document.root) == {"a": 1, "b": 3}


def test_an_anchor_and_its_aliases_are_one_finding(parse):
    (document,), (finding,) = parse("a: &x [1, 2]\nb: *x\nc: {d: *x}\n")
    assert (finding.code, finding.message, finding.span[1:]) == ("AC104", "anchor `&x`", (1, 4, 1, 6))
    assert [note.span[1:] for note in finding.notes] == [(2, 4, 2, 6), (3, 8, 3, 10)]
    assert to_data(document.root) == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}


def test_an_alias_of_nothing_and_of_itself(parse):
    (document,), found = parse("a: *x\nb: &y [*y]\n")
    assert [(f.code, f.span.line, f.span.column) for f in found] == [("AC104", 1, 4), ("AC104", 2, 4)]
    assert to_data(document.root) == {"a": None, "b": [None]}


def test_a_merge_key_is_refused_and_understood(parse):
    """No cascade of missing keys: what was merged is there."""
    (document,), found = parse("base: &b {x: 1, y: 2}\nall:\n  y: 3\n  <<: [*b, {z: 4}]\n")
    assert [(f.code, f.span.line, f.span.column) for f in found] == [("AC105", 4, 3), ("AC104", 1, 7)]
    assert to_data(document.root)["all"] == {"y": 3, "x": 1, "z": 4}
    assert not parse('"<<": 1\n')[1]


def test_tags(findings, parse):
    text = "a: !!python/object:os.system x\nb: !t {c: 1}\nd: !t\n  &e f\n"
    assert findings(text) == [("AC106", 1, 4), ("AC106", 2, 4), ("AC106", 3, 4), ("AC104", 4, 3)]
    assert parse(text)[1][0].message == "tag `!!python/object:os.system`"
    assert to_data(parse(text)[0][0].root) == {"a": "x", "b": {"c": 1}, "d": "f"}


def test_directives(findings):
    assert findings("%YAML 1.1\n---\na: 1\n") == [("AC101", 1, 1)]
    assert findings("%TAG ! tag:x,2000:\n---\na: 1\n") == [("AC106", 1, 1)]
    assert findings("%YAML 1.2\n---\na: 1\n") == []


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: 1\n\tb: 2\n", "a tab in the indentation", 2, 1),
        ("a:\n\t- b\n", "a tab in the indentation", 2, 1),
        ("a: b: c\n", "a second `: ` in one value", 1, 5),
        ("a: 1\nname\nb: 1\n", "a line that is neither a key nor part of a value", 2, 1),
        ('a: "x\nb: 1\n', "a quote that is never closed", 1, 4),
        ("a: 'it's'\n", "text after the closing quote", 1, 8),
        ("a: - b\n", "a list item `- ` on the line of its key", 1, 4),
        ("a:\n  b: 1\n c: 2\n", "a key was expected here", 3, 2),
        ("- a\nb: 1\n", "a list item `- ` was expected here", 2, 1),
        ("a: {b: 1\n", "a `{` that is never closed", 1, 4),
        ("a: [1, 2\nb: 1\n", "a `[` that is never closed", 1, 4),
        ("a: ]\n", "a value was expected here", 1, 4),
        ('a: "\\q"\n', "an escape that YAML does not have", 1, 5),
        ('a: "\\ud800"\n', "an escape of a character that does not exist", 1, 7),
        ('a: "\\xz"\n', "an escape without its hexadecimal digits", 1, 7),
        ("a: @b\n", "a value can't begin with `@`", 1, 4),
        ("a: `b\n", "a value can't begin with a backtick", 1, 4),
        ("a: *.example.com\n", "a value that begins with `*` or `&`", 1, 4),
        ("a: | text\n", "text after the mark of a block of text", 1, 6),
    ],
)
def test_syntax_errors_in_our_words(parse, text, message, line, column):
    documents, (finding,) = parse(text)
    assert (finding.code, finding.message) == ("AC101", message)
    assert (finding.span.line, finding.span.column) == (line, column)
    assert finding.help
    assert documents == ()


def test_a_syntax_error_costs_one_document_only(parse):
    documents, found = parse('a: no\nb: "x\n---\nc: [\n---\nd: 1\nd: 2\n---\n\te: 1\n')
    assert [to_data(document.root) for document in documents] == [{"d": 1}]
    assert [(f.code, f.span.line) for f in found] == [
        ("AC109", 1),
        ("AC101", 2),
        ("AC101", 4),
        ("AC103", 7),
        ("AC101", 9),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1: a\n", [("AC101", 1, 1)]),
        ("0644: a\n", [("AC101", 1, 1)]),
        ("true: a\n", [("AC101", 1, 1)]),
        ("? [x]\n: no\n", [("AC101", 1, 3), ("AC109", 2, 3)]),
        (": a\n", [("AC101", 1, 1)]),
        ("no: a\n", [("AC109", 1, 1)]),
        ('"1": a\n"true": b\n', []),
    ],
)
def test_keys_are_text(findings, text, found):
    assert findings(text) == found


def test_a_key_that_is_no_text_can_be_quoted(parse):
    (document,), (finding,) = parse("200: ok\n")
    assert [(edit.span[1:], edit.text) for edit in finding.edits] == [((1, 1, 1, 4), '"200"')]
    assert to_data(document.root) == {"200": "ok"}


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x1b", "\x7f", "\x9f", "\u200e", "\u202e", "\u2066", "\ufeff", "\ufffe", "\U000e0041"],
)
def test_deceptive_characters_anywhere(parse, character):
    documents, found = parse(f"a: x  # {character} comment\nb{character}: y\n")
    assert [(f.code, f.span.line, f.span.column) for f in found] == [("AC107", 1, 9), ("AC107", 2, 2)]
    assert to_data(documents[0].root) == {"a": "x", "b\ufffd": "y"}


@pytest.mark.parametrize("character", ["\u200b", "\u200d", "\u00ad", "\u2060", "\u3164", "\ufe0f"])
def test_invisible_characters_in_keys_only(findings, character):
    assert findings(f"ab: 1\na{character}b: {character}x\n") == [("AC107", 2, 1)]
    assert findings('"a\\u200bb": 1\n') == [("AC107", 1, 1)]


def test_bytes_that_are_not_utf8(parse):
    documents, (finding,) = parse("a: 1\nb: é".encode() + b"\xff\xfe\nc: 2\n")
    assert (finding.code, finding.message) == ("AC102", "byte 0xff at offset 10 is not UTF-8")
    assert finding.span[1:] == (2, 5, 2, 6)
    assert to_data(documents[0].root)["c"] == 2
    with_mark = parse(b"\xef\xbb\xbfb: \xff\n")[1][0]
    assert (with_mark.span.column, with_mark.message) == (4, "byte 0xff at offset 6 is not UTF-8")


def test_a_replacement_character_that_was_written_is_fine(findings):
    assert findings("a: \ufffd\n") == []


def test_utf16_is_one_finding(parse):
    documents, (finding,) = parse("a: 1\n".encode("utf-16"))
    assert documents == ()
    assert (finding.code, finding.message) == ("AC102", "the file is UTF-16, not UTF-8")
