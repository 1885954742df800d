"""Formats of arguments: what they are, and what only looks as if it were that."""

from __future__ import annotations

import pytest

from agentc_runtime.formats import STRICT
from agentc_runtime.violations import compile_answer, compile_predicate, compile_shape

GOOD = {
    "email": ["a@b.example", "first.last+tag@sub.example.org", "user@localhost", "o'brien@x-y.example"],
    "date": ["2024-02-29", "0001-01-01"],
    "time": ["12:00:00Z", "23:59:59.123+05:30"],
    "date-time": ["2024-02-29T12:00:00Z", "2024-01-01t00:00:00.5-01:00"],
}
ATTACKS = {
    "email": [
        "Name <a@b.example>", '"@"@c.d', '"a b"@c.example', "a@b@c.example", "a@[127.0.0.1]", "a@b..c",
        "a@-b.c", "a@b.example\nBcc: c@d.example", "a b@c.example", "a@b.example,c@d.example", "a@b.example ",
        ".a@b.c", "\u0430@b.example", "a@\uff42.example", "x" * 65 + "@b.example", "@b.example", "a@",
        "a@" + "b." * 130 + "example",
    ],
    "date": [
        "+024-01-01", "204,-02-29", "2023-02-29", "2024-13-01", "2024-1-1", "\uff12024-01-01", "2024-01-01\n",
    ],
    "time": ["12:00:0/Z", "24:00:00Z", "12:00:60Z", "12:00Z", "12:00:00", "12:00:00+24:00"],
    "date-time": ["2024-01-01 12:00:00Z", "+024-01-01T12:00:00Z", "2024-01-01T12:00:00", "2024-01-01"],
}  # fmt: skip


@pytest.mark.parametrize("name", STRICT)
def test_what_a_format_is_and_is_not(name):
    for compiled in (compile_predicate, compile_shape):
        validator = compiled({"type": "string", "format": name})
        assert [text for text in GOOD[name] if not validator.is_valid(text)] == []
        assert [text for text in ATTACKS[name] if validator.is_valid(text)] == []


def test_answers_are_taken_as_services_write_them():
    assert compile_answer({"format": "email"}).is_valid("Name <a@b.example>")


def test_other_formats_are_the_validators():
    assert compile_predicate({"format": "uuid"}).is_valid("00000000-0000-4000-8000-000000000001")
    assert not compile_predicate({"format": "ipv4"}).is_valid("0177.0.0.1")
