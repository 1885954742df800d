"""What an approver may make of a call: numbers nearer to zero, lists with less in them, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.narrowing import is_narrower, wider_argument

ASKED = {"amount": 20, "lines": ["a", "b"], "to": {"name": "x", "copies": 2}, "fast": False}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("changes", "wider"),
    [
        ({}, None),
        ({"amount": 5, "lines": ["b"]}, None),
        ({"amount": 0, "lines": []}, None),
        ({"amount": 19.5}, None),
        ({"to": {"name": "x", "copies": 1}}, None),
        ({"amount": 21}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"lines": ["b", "a"]}, "lines"),
        ({"lines": ["a", "a"]}, "lines"),
        ({"lines": ["c"]}, "lines"),
        ({"to": {"name": "y", "copies": 2}}, "to"),
        ({"to": {"name": "x"}}, "to"),
        ({"fast": True}, "fast"),
        ({"fast": 0}, "fast"),
        ({"note": "more"}, "note"),
    ],
)
def test_what_is_narrower(changes: dict[str, object], wider: str | None) -> None:
    assert wider_argument({**ASKED, **changes}, ASKED) == wider


def test_an_argument_that_is_left_out_is_another_call() -> None:
    assert wider_argument({"amount": 20}, {"amount": 20, "limit": 1}) == "limit"


@given(JSON)
def test_everything_is_as_narrow_as_itself(value: object) -> None:
    assert is_narrower(value, value)


@given(JSON, JSON, JSON)
def test_narrower_twice_is_narrower(one: object, two: object, three: object) -> None:
    if is_narrower(one, two) and is_narrower(two, three):
        assert is_narrower(one, three)


@given(JSON, JSON)
def test_what_is_narrower_both_ways_is_the_same(one: object, two: object) -> None:
    if is_narrower(one, two) and is_narrower(two, one):
        assert one == two
