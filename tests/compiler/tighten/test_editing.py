"""Texts are changed where they are told to be, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.diagnostics import Edit, Span
from agentc.editing import EditError, Text, write_specs
from agentc.source import SourceFile

TEXTS = st.lists(
    st.tuples(st.text("ab #é", max_size=4), st.sampled_from(["\n", "\r\n", "\r"])), min_size=1, max_size=5
).map(lambda lines: "".join(line + end for line, end in lines))


def at(line: int, column: int, end_line: int | None = None, end_column: int | None = None) -> Span:
    return Span("f", line, column, end_line or line, end_column or column)


def edited(text: str, *edits: Edit) -> str:
    return Text(SourceFile("f", text.encode())).edited(edits).decode()


@pytest.mark.parametrize(
    ("text", "edits", "after"),
    [
        ("a: 1 # x\n", [Edit(at(1, 4, 1, 5), "22")], "a: 22 # x\n"),
        ("a: 1\nb: 2\n", [Edit(at(2, 4, 2, 5), "3"), Edit(at(1, 4, 1, 5), "4")], "a: 4\nb: 3\n"),
        # Whole lines, and what is put in their place.
        ("a\nb\nc\n", [Edit(at(2, 1, 3, 1), "")], "a\nc\n"),
        ("a\nb\nc\n", [Edit(at(2, 1, 3, 1), ""), Edit(at(3, 1), "d\n")], "a\nd\nc\n"),
        ("a\n", [Edit(at(2, 1), "b\n"), Edit(at(2, 1), "c\n")], "a\nb\nc\n"),
        # The file's own line ends, and its own end.
        ("a\r\nb\r\n", [Edit(at(2, 1), "x\ny\n")], "a\r\nx\r\ny\r\nb\r\n"),
        ("a\nb", [Edit(at(3, 1), "c\n"), Edit(at(3, 1), "d\n")], "a\nb\nc\nd"),
        ("a\nb", [Edit(at(2, 1, 3, 1), "")], "a\n"),
        # A byte order mark is no column.
        ("\ufeffa: 1\n", [Edit(at(1, 4, 1, 5), "2")], "\ufeffa: 2\n"),
    ],
)
def test_edits(text, edits, after):
    assert edited(text, *edits) == after


@given(TEXTS)
def test_without_edits_every_byte_stays(text):
    assert edited(text) == text


def test_what_is_no_utf_8_is_not_written_again():
    with pytest.raises(EditError, match="`f` is not UTF-8: save it as UTF-8 first"):
        Text(SourceFile("f", b"a: \xff\n"))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "f"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to("f")
    write_specs(tmp_path, {"link": SourceFile("link", b"new")})
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(EditError, match="can't write `gone/f`"):
        write_specs(tmp_path, {"gone/f": SourceFile("gone/f", b"new")})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "link"]
