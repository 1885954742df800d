"""Markdown for a comment: what a spec says stays text, judged by the parser of GitHub's Markdown."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import cmarkgfm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.diff.acceptance import judge
from agentc.diff.markdown import MAX_CHARACTERS, as_markdown, block, code, escaped, prose
from agentc.diff.values import Change, Delta, Edit, Place, Side
from agentc.report.findings import visible

HOSTILE = [
    "[click](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "</details><script>",
    "<!-- x",
    "**bold** _em_ ~~no~~ # h",
    "`code` ``x`` ```",
    "\n# heading\n- item\n\n    code\n",
    "www.evil.example https://evil.example mail@evil.example",
    "@everyone #1 GH-1 org/repo#1",
    "| a | b |\n|--|--|",
    "::error::x\n##[error]x",
    "&lt;b&gt; &#64;x \\[x\\](y)",
    "\u202egnirts \u200b\x1b[31m",
]
TEXT = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.text(alphabet="`<>[]()!*_#@\\&|~\n ", max_size=20)
)


class Reader(HTMLParser):
    """Which elements there are, and the text outside of code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.text = ""
        self.plain = ""
        self.depth = 0

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.depth += tag == "code"

    def handle_endtag(self, tag):
        self.depth -= tag == "code"

    def handle_data(self, data):
        self.text += data
        self.plain += "" if self.depth else data


def read(markdown: str) -> Reader:
    reader = Reader()
    reader.feed(cmarkgfm.github_flavored_markdown_to_html(markdown))
    return reader


@given(TEXT)
def test_text_stays_text(text):
    shown = read(f"a {escaped(visible(text))} b")
    assert shown.elements == ["p"]
    assert " ".join(shown.text.replace("\u2060", "").split()) == " ".join(f"a {visible(text)} b".split())


@given(TEXT)
def test_code_stays_code(text):
    shown = read(f"a {code(text)} b")
    assert shown.elements == ["p", "code"]
    assert " ".join(shown.plain.split()) == "a b"


@given(st.lists(TEXT, max_size=4))
def test_a_block_stays_a_block(lines):
    shown = read(f"a\n\n{block(lines)}\n\nb")
    assert shown.elements == ["p", "pre", "code", "p"]
    assert shown.plain.split() == ["a", "b"]


@given(TEXT, TEXT)
def test_a_sentence_has_no_markup_but_code(one, other):
    shown = read(prose(f"it {one} is `{other}` here"))
    assert set(shown.elements) <= {"p", "code"}


def shown(delta: Delta) -> str:
    return as_markdown(delta, judge(delta, "2026-11-26"))


def delta_of(text: str, count: int = 1) -> Delta:
    old, new = (Side(text, {}, "folder", "x") for _ in range(2))
    place = Place(text, 1)
    change = Change(
        "widened", "AC903", "high", text, text, text, place, place, (f"- {text}", f"+ {text}"),
        None, text, (text,),
    )  # fmt: skip
    edit = Edit(text, text, text, place, (f"+{text}",))
    return Delta(old, new, (change,) * count, (edit,), (), "0" * 64)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_whole_report_has_no_other_elements_than_ours(text):
    ours, theirs = shown(delta_of("name")), shown(delta_of(text))
    assert read(theirs).elements.count("a") == 0
    assert set(read(theirs).elements) <= set(read(ours).elements) | {"code"}
    assert re.search(r"(?m)^\s*::|##\[", theirs) is None


def test_a_long_report_is_cut_where_a_part_ends_and_says_so():
    report = shown(delta_of("x" * 900, count=200))
    assert len(report) <= MAX_CHARACTERS + 200
    assert report.endswith("parts do not fit into a comment: run agentc diff to read them**\n")
    assert unescape(report).count("**AC903**") > 3
