"""Limits in words: what a reviewer reads of a schema."""

from __future__ import annotations

import pytest

from agentc.words import duration_in_words, limits_in_words, phrase


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "anything"),
        (True, "anything"),
        (False, "nothing"),
        ({"type": "string"}, "a string"),
        ({"type": "number", "maximum": 50}, "at most 50"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "a whole number and at least 1 and at most 5"),
        ({"type": ["string", "null"], "maxLength": 5}, "a string or null and at most 5 characters"),
        ({"const": "EUR"}, 'exactly "EUR"'),
        ({"type": "string", "enum": ["EUR"]}, 'exactly "EUR"'),
        ({"enum": ["a", "b"]}, 'one of "a", "b"'),
        ({"enum": list(range(9))}, "one of 0, 1, 2, 3, 4, 5 and 3 more"),
        ({"type": "string", "pattern": "^(?:T-[0-9]+)$"}, "matching ^(?:T-[0-9]+)$"),
        ({"type": "string", "format": "email"}, "in email format"),
        (
            {"type": "array", "items": {"enum": ["x"]}, "maxItems": 2},
            'at most 2 items and each item exactly "x"',
        ),
        (
            {"type": "object", "properties": {"to": {"const": "a"}, "cc": False}},
            'an object with cc nothing, to exactly "a"',
        ),
        ({"anyOf": [{"const": 1}, {"minimum": 5}]}, "(exactly 1 or at least 5)"),
        ({"not": {"enum": ["x"]}}, 'not exactly "x"'),
        ({"exclusiveMinimum": 20, "exclusiveMaximum": 30}, "more than 20 and less than 30"),
    ],
)
def test_phrase(schema: object, words: str) -> None:
    assert phrase(schema) == words


def test_limits_are_one_sentence_an_argument() -> None:
    where = {"type": "object", "properties": {"b": {"maximum": 2}, "a": {"const": 1}}, "required": ["a", "b"]}
    assert limits_in_words(where) == ["a is exactly 1", "b is at most 2"]
    assert limits_in_words({}) == []


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(500, "500ms"), (1000, "1s"), (1500, "1500ms"), (90_000, "90s"), (3_600_000, "1h"), (86_400_000, "1d")],
)
def test_durations_are_in_the_largest_exact_unit(milliseconds: int, words: str) -> None:
    assert duration_in_words(milliseconds) == words
