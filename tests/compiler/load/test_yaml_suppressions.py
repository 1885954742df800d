"""`# agentc: ignore` comments: only real comments count."""

import pytest

from agentc.parse import suppressions
from agentc.source import SourceFile


def read(text: str) -> list[tuple[str, str, int, int]]:
    return [
        (s.code, s.reason, s.line, s.span.line) for s in suppressions(SourceFile("a.yaml", text.encode()))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1  # agentc: ignore AC501 - the reason\n", [("AC501", "the reason", 1, 1)]),
        ("# agentc: ignore AC501 - above\na: 1\n", [("AC501", "above", 2, 1)]),
        ("  # agentc: ignore AC501 - above\n\n  # more\n\na: 1\n", [("AC501", "above", 5, 1)]),
        ("a: 1 # agentc: ignore AC501\n", [("AC501", "", 1, 1)]),
        ("a: 1 # agentc: ignore AC501, AC502: both\n", [("AC501", "both", 1, 1), ("AC502", "both", 1, 1)]),
        (
            "a: 1 # agentc: ignore AC501 \u2014 dash\r\nb: 1 #agentc: ignore AC401 - x\r\n",
            [("AC501", "dash", 1, 1), ("AC401", "x", 2, 2)],
        ),
        ("a: |  # agentc: ignore AC501 - header\n  text\n", [("AC501", "header", 1, 1)]),
        ("a: |\n  # agentc: ignore AC501 - text\n", []),
        ("a: |\n  x\n# agentc: ignore AC501 - real\nb: 1\n", [("AC501", "real", 4, 3)]),
        ('a: "x # agentc: ignore AC501 - text"\n', []),
        ("a: 'x\n  # agentc: ignore AC501 - text'\n", []),
        ("a: x# agentc: ignore AC501 - text\n", []),
        ('a: "x" # agentc: ignore AC501 - real\n', [("AC501", "real", 1, 1)]),
        ("a: 1 # agentc: ignore everything\n", []),
        ("a: 1 # see agentc: ignore AC501\n", []),
        ("---\na: 1\n---\nb: 1 # agentc: ignore AC501 - second\n", [("AC501", "second", 4, 4)]),
        ("# agentc: ignore AC501 - end", [("AC501", "end", 1, 1)]),
    ],
)
def test_comments(text, expected):
    assert read(text) == expected


def test_the_span_is_the_comment():
    (found,) = suppressions(SourceFile("a.yaml", "é: 1 # agentc: ignore AC501 - why".encode()))
    assert found.span[1:] == (1, 6, 1, 34)


def test_after_a_syntax_error_nothing_is_silenced():
    """What the parser did not read can't be told from text."""
    assert read('a: 1 # agentc: ignore AC501 - real\nb: "\n# agentc: ignore AC502 - open\n') == [
        ("AC501", "real", 1, 1)
    ]
