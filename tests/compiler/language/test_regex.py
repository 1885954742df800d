"""Patterns: what is accepted compiles in the linear engine and means what ECMA says, what is not says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, RegexOptions

from agentc.regex import MAX_LENGTH, anchored, check_pattern


def matches(pattern: str, text: str) -> bool:
    schema = {"pattern": anchored(pattern)}
    return Draft202012Validator(schema, pattern_options=RegexOptions()).is_valid(text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("EUR|USD", "EUR", True),
        ("EUR|USD", "EURO", False),
        ("^EUR|USD$", "EURO", False),
        ("^a$", "a\n", False),
        ("a$|b", "xa", False),
        ("T-[0-9]{4,6}", "T-12345", True),
        ("T-[0-9]{4,6}", "T-123", False),
        (r"\d+", "٣", False),
        (r"\w", "é", False),
        (r"\s", "\u2003", True),
        (".", "\r", False),
        (".", "\u2028", False),
        (r"\.", "x", False),
        ("[.]", "x", False),
        ("(a.c){2}", "abcadc", True),
        ("(a.c){2}", "a\rcadc", False),
        (r"[\w.-]+@[\w-]+\.com", "a.b@c-d.com", True),
        (r"\p{Lu}\p{L}*", "Émile", True),
        (r"\u0041\x42", "AB", True),
        (r"[\]\-\\]", "]", True),
        ("a*?b+?c??", "aab", True),
        ("", "", True),
        ("", "x", False),
        ("[-a]", "-", True),
        ("[a-]", "-", True),
        ("^(?:a|b)$", "b", True),
        ("#'@<> ", "#'@<> ", True),
    ],
)
def test_accepted_patterns_match_whole_texts(pattern: str, text: str, expected: bool) -> None:
    assert check_pattern(pattern) is None
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "message", "offset"),
    [
        ("a(?=b)", "look-around", 1),
        ("(?!a)", "look-around", 0),
        ("(?<=a)b", "look-around", 0),
        ("(?<!a)b", "look-around", 0),
        ("(?<name>a)", "named groups", 0),
        ("(?P<name>a)", "named groups", 0),
        (r"(a)\1", "back-references", 3),
        ("(?i)a", "inline flags", 0),
        ("(?i:a)", "inline flags", 0),
        ("a++", "nothing to repeat", 2),
        ("a{2}{3}", "nothing to repeat", 4),
        ("*a", "nothing to repeat", 0),
        ("^*", "nothing to repeat", 1),
        ("a{1001}", "over 1,000", 1),
        ("a{99999999999999999999}", "over 1,000", 1),
        ("(?:(?:a{50}){50}){50}", "multiply", 0),
        ("((a{100}b){100}c){100}", "multiply", 0),
        ("a{3,2}", "wrong way round", 1),
        ("a{,3}", "not a count", 1),
        ("a{", "not a count", 1),
        ("a{²}", "not a count", 1),
        ("}", "no counterpart", 0),
        ("]", "no counterpart", 0),
        ("(a", "not closed", 0),
        ("a)", "closes nothing", 1),
        ("[a", "not closed", 0),
        ("[", "not closed", 0),
        ("[]", "empty", 0),
        ("[^]", "empty", 0),
        ("[a&&b]", "read differently", 2),
        ("[a--b]", "a range", 1),
        ("[~~a]", "read differently", 1),
        ("[[:alpha:]]", "read differently", 1),
        ("[z-a]", "a range", 1),
        (r"[a-\d]", "a range", 1),
        (r"\A", "not an escape", 0),
        (r"\z", "not an escape", 0),
        (r"\<", "not an escape", 0),
        (r"\bword", "word boundaries", 0),
        ("\\", "not an escape", 0),
        (r"\x4", "2 hex digits", 0),
        (r"\ud83d", "surrogate", 0),
        (r"\p{Script=Greek}", "general category", 0),
        (r"\pL", "general category", 0),
        ("(" * 60 + ")" * 60, "deeper", 41),
        ("a" * (MAX_LENGTH + 1), "longer", 0),
    ],
)
def test_refused_patterns_say_where_and_why(pattern: str, message: str, offset: int) -> None:
    problem = check_pattern(pattern)
    assert problem is not None
    assert message in problem.message
    assert problem.offset == offset


@given(st.text(alphabet="ab^$.*+?{}()[]|\\-&~,12dwsbxup:=!<>P", max_size=20))
def test_what_is_accepted_compiles_and_anchoring_is_stable(pattern: str) -> None:
    problem = check_pattern(pattern)
    if problem is None:
        matches(pattern, "a")
        assert check_pattern(anchored(pattern)) is None
        assert anchored(anchored(pattern)) == anchored(pattern)
    else:
        assert "too large" not in problem.message
        assert 0 <= problem.offset <= len(pattern)
