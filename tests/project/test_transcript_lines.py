"""What a transcript does with text from outside: one line, nothing that a terminal obeys, nothing hidden."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.transcript import Transcript, as_json_line, reason_shown, shown
from agentc_runtime.events import ModelFailed, ToolCalled, ToolRefused, ToolReturned
from agentc_runtime.labels import Label
from agentc_runtime.refusals import Refusal


@given(st.text(max_size=400), st.integers(min_value=1, max_value=200))
def test_a_terminal_obeys_none_of_it(text, width):
    line = shown(text, width)
    assert line.isprintable()
    kept, cut, more = line.rpartition(" … ")
    if len(text) <= width:
        assert not cut or "…" in text
    else:
        # what is not shown is counted
        assert more.endswith(" more")
        left = int(more.removesuffix(" more").replace(",", ""))
        assert shown(text[: len(text) - left], 400).rstrip() == kept


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ('{"a":1,"bc":2}', '{"a":1, … 7 more'),
        ("word " * 3, "word word … 5 more"),
        ("x" * 14, "xxxxxxxxxx … 4 more"),
    ],
)
def test_escaped_and_cut_at_a_seam(text, line):
    assert shown(text, 10 if len(text) > 12 else 12) == line


def test_the_spec_line_of_a_reason_can_be_opened_from_here():
    reason = "a (b:1) thing (permissions/p.yaml:7)"
    assert reason_shown(reason, "specs/") == "a (b:1) thing (specs/permissions/p.yaml:7)"
    assert reason_shown("no line", "specs/") == "no line"


def test_a_model_that_fails_is_named_with_its_fallback():
    lines: list[str] = []
    for following in ("careful", None):
        event = ModelFailed(state="s", model="fast", message="status 500\x1b", next=following)
        Transcript(lines.append, color=False)(event)
    failed = "  ✗ fast did not answer: status 500\\x1b"
    assert lines == [failed, "    asking careful instead", failed]


def test_color_is_only_asked_for():
    refusal = Refusal(code="AR101", message="no such tool")
    events = (
        ToolCalled(state="s", tool="a\x1b[0m", call_id="1", arguments="{}"),
        ToolRefused(state="s", tool="t", call_id="1", refusal=refusal),
    )
    plain: list[str] = []
    colored: list[str] = []
    for event in events:
        Transcript(plain.append, color=False)(event)
        Transcript(colored.append, color=True)(event)
    assert "\x1b" not in "".join(plain)
    assert "\x1b[31m✗ refused AR101" in "".join(colored)


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ({}, "    ← 200 trusted, internal  [1]"),
        ({"pages": 3}, "    ← 200 trusted, internal  3 pages  [1]"),
        ({"pages": 3, "complete": False}, "    ← 200 trusted, internal  3 pages  and there are more  [1]"),
        ({"cached": True}, "    ← 200 trusted, internal  read before  [1]"),
    ],
)
def test_an_answer_says_how_it_was_read(how, line):
    label = Label(trust="trusted", sensitivity="internal")
    event = ToolReturned(
        state="s", tool="t", call_id="c", status=200, content="[1]", label=label, seconds=0.1, **how
    )
    lines: list[str] = []
    Transcript(lines.append, color=False)(event)
    assert lines == [line]
    written = json.loads(as_json_line(event))
    assert {name: written[name] for name in ("pages", "complete", "cached") if name in written} == how
