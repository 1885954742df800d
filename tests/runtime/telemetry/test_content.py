"""What is taken out of content, and what is left of it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.labels import Label
from agentc_runtime.telemetry.content import MAX_VALUE, Content, captured

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("to ann.b+c@mail.example.com now", "to [email] now"),
        ("card 4111-1111-1111-1111", "card [card]"),
        ("order 4111-1111-1111-1112", "order 4111-1111-1111-1112"),
        ("pay DE89 3704 0044 0532 0130 00 today", "pay [IBAN] today"),
        ("part DE00 3704 0044 0532 0130 00", "part DE00 3704 0044 0532 0130 00"),
        ("call +49 (30) 123456-78", "call [phone]"),
        ("key sk-proj-abcdefghijklmnop1234", "key [token]"),
        (f"jwt {JWT}", "jwt [token]"),
        ("Authorization: Bearer abcdefghijkl1234", "Authorization: [token]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END", "[private key]-----END"),
        ("ticket T-1001 of 2026-11-26, 18.50 EUR", "ticket T-1001 of 2026-11-26, 18.50 EUR"),
    ],
)
def test_built_in_patterns(text, left):
    assert Content(up_to="internal").clean(text) == left


def test_secrets_first_then_patterns_then_ones_own():
    content = Content(
        "internal", lambda text: text.replace("hunter2", "[secret key]"), (re.compile("T-[0-9]+"),)
    )
    assert content.clean_data({"T-1": ["hunter2", 5, None, {"a@b.example": True}]}) == {
        "[redacted]": ["[secret key]", 5, None, {"[email]": True}]
    }


@pytest.mark.parametrize("sensitivity", ["public", "internal", "confidential", "restricted"])
def test_nothing_is_shown_past_its_label(sensitivity):
    order = ["public", "internal", "confidential", "restricted"]
    label = Label(trust="trusted", sensitivity=sensitivity)
    assert not Content().shows(label)
    for up_to in order:
        assert Content(up_to).shows(label) == (order.index(sensitivity) <= order.index(up_to))


@given(st.text(alphabet="a0 -@.+eyJsk_B", max_size=2000))
def test_cleaning_twice_changes_nothing_more(text):
    content = Content(up_to="internal")
    once = content.clean(text)
    assert content.clean(once) == once


@pytest.mark.parametrize(
    "piece", ["a@", "1 ", "1-", "+1 ", "eyJ", "a.", "A1", "-----BEGIN ", "sk-", "a@a.", "bearer "]
)
def test_no_text_makes_it_slow(piece):
    begun = time.monotonic()
    Content(up_to="internal").clean(piece * (MAX_VALUE // len(piece)))
    assert time.monotonic() - begun < 2


def test_long_text_is_cut():
    assert len(Content(up_to="internal").clean("x" * 10**6)) == MAX_VALUE + 1


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("", None),
        ("false", None),
        ("True", "internal"),
        ("span_only", "internal"),
        ("restricted", "restricted"),
    ],
)
def test_the_variable_of_the_conventions(said, wanted):
    assert captured({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": said}) == wanted


def test_another_value_is_an_error():
    with pytest.raises(ValueError, match="is `maybe`: set it to true, false, or one of public"):
        captured({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "maybe"})
