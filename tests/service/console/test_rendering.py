"""Hostile text on pages stays text, and nothing in it can hide."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_service.console import rendering
from agentc_service.console.rendering import duration, legible, money, pretty, prose, render


@given(st.text())
def test_prose_never_makes_markup_of_text(text):
    shown = str(prose(text))
    assert "<" not in shown.replace("<code>", "").replace("</code>", "")


@given(st.text())
def test_what_is_legible_has_nothing_that_can_hide(text):
    for char in legible(text):
        assert char in "\n\t" or char.isprintable() or unicodedata.category(char) == "Zs", hex(ord(char))


def test_overrides_of_the_direction_are_written_out():
    assert legible("pay \u202e05 EUR\tto\nme") == "pay \\u202e05 EUR\tto\nme"


def test_pages_escape_what_they_are_given():
    page = render("problem.html", status=404, title="<script>", detail='"><img src=x onerror=alert(1)>')
    assert "<script>" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [('{"a":1}', '{\n  "a": 1\n}'), ("no json", "no json"), ('"text"', "text"), ([1], "[\n  1\n]"), ("", "")],
)
def test_json_is_indented_and_other_text_is_left(value, shown):
    assert pretty(value) == shown


def test_long_values_are_cut_and_say_so():
    assert pretty("x" * (rendering.LONGEST + 5)).endswith("… 5 more characters")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0214, "21 ms"), (3.42, "3.4 s"), (61, "1 min 1 s"), (7300, "2 h 1 min"), (200_000, "2 d 7 h")],
)
def test_spans_of_time_have_two_units(seconds, shown):
    assert duration(seconds) == shown


def test_small_amounts_keep_their_digits():
    assert [money(value) for value in (None, "0.00012", "12.3456", 0)] == ["—", "$0.0001", "$12.35", "$0.00"]
