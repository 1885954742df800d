"""What a handful of values says about the next one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.predicates import close_where
from agentc.regex import check_pattern
from agentc.subsumption.regions import contains
from agentc.tighten.infer import inferred, shape

VALUES = st.one_of(
    st.integers(-5, 5),
    st.floats(-2, 2, width=16),
    st.booleans(),
    st.none(),
    st.sampled_from(["EUR", "USD", "T-1001", "T-17", "a b", "", "\n", "é", "a.b@c", "x{2}"]),
    st.text(max_size=4),
    st.lists(st.sampled_from(["open", "closed", 1]), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "no"]), st.sampled_from([1, 2.5, "x", None, [1]]), max_size=2),
)
LIMITED: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [
        {},
        {"properties": {"a": {}, "b": {"maximum": 5}}, "required": []},
        {"items": {"enum": ["open", "closed"]}},
        {"enum": ["EUR", "USD"]},
        {"anyOf": [{"type": "object"}, {"type": "string"}]},
    ]
)


@pytest.mark.parametrize(
    ("seen", "limit"),
    [
        # One value that never changed.
        (["EUR"] * 3, {"const": "EUR"}),
        ([5, 5], {"const": 5}),
        # Values each of which came again.
        (["EUR", "USD"] * 2, {"enum": ["EUR", "USD"]}),
        ([10, 9, 10, 9], {"minimum": 9, "maximum": 10}),
        # One that was seen once says that there are more.
        (["EUR", "EUR", "USD"], {"maxLength": 3}),
        ([1, 1, 2.5], {"minimum": 1, "maximum": 2.5}),
        # A shape.
        (["T-1001", "T-1002", "T-17"], {"pattern": "T-[0-9]{2,4}"}),
        (["a@x.org", "b@x.org", "cd@x.org"], {"pattern": r"[a-z]{1,2}@x\.org"}),
        (["9f-c1", "aa-0b", "11-22"], {"pattern": "[0-9a-f]{2}-[0-9a-f]{2}"}),
        (
            ["https://x.org/a?b=1", "https://x.org/c?b=2", "https://x.org/d?b=3"],
            {"pattern": r"https://x\.org/[a-z]\?b=[0-9]"},
        ),
        # No shape: sentences, other scripts, too few.
        (["It broke.", "It is late.", "No."], {"maxLength": 11}),
        (["é-1", "é-2", "é-3"], {"maxLength": 3}),
        (["T-1", "T-2"], {"maxLength": 3}),
        # Lists, and what is in them.
        ([["open"], ["open", "closed"], ["closed"]], {"maxItems": 2, "items": {"enum": ["closed", "open"]}}),
        ([[], []], {"maxItems": 0}),
        # Objects, and what is under their keys.
        (
            [{"a": 1, "b": "x"}, {"a": 2}],
            {
                "properties": {"a": {"minimum": 1, "maximum": 2}, "b": {"const": "x"}},
                "required": ["a"],
            },
        ),
        ([{}, {}], {"properties": {}, "required": []}),
        # Nothing to say.
        ([True, False, True, False], {}),
        ([1, "1", None], {}),
        ([], {}),
    ],
    ids=str,
)
def test_limits(seen, limit):
    assert inferred(seen) == limit


def test_values_that_must_stay_possible_are_no_hint_and_are_let_through():
    assert inferred(["EUR"] * 3, ["USD"]) == {"maxLength": 3}
    assert inferred([5, 5], [50]) == {"minimum": 5, "maximum": 50}
    assert inferred(["EUR"] * 3, ["EUR"]) == {"const": "EUR"}


def test_what_the_limit_says_already_is_not_said_in_another_way():
    assert inferred(["EUR", "USD"], limit={"enum": ["CHF", "USD", "EUR"]}) == {"enum": ["USD", "EUR"]}
    assert inferred(["EUR"], limit={"const": "EUR"}) == {}
    assert inferred(["T-1", "T-2", "T-3"], limit={"pattern": "T-[0-9]+"}) == {"maxLength": 3}


def test_a_key_that_was_never_seen_but_must_stay_possible_keeps_its_limit():
    said = {"properties": {"a": {}, "b": {"maximum": 5}}, "required": []}
    assert inferred([{"a": 1}], [{"b": 1}], said) == {"properties": {"a": {"const": 1}, "b": {"maximum": 5}}}


def test_a_destination_is_not_listed():
    assert inferred(["a@x.org"] * 3, listed=False) == {"maxLength": 7}


@given(st.lists(VALUES, min_size=1, max_size=8), st.lists(VALUES, max_size=3), LIMITED, st.booleans())
def test_every_value_that_the_limit_lets_through_still_is(seen, needed, said, listed):
    now = close_where({"it": said}) if said else True
    seen, needed = ([one for one in values if contains(now, {"it": one})] for values in (seen, needed))
    limit = inferred(seen, needed, said, listed=listed)
    lowered = close_where({"it": {**said, **limit}}) if limit else True
    assert all(contains(lowered, {"it": value}) for value in [*seen, *needed])


@given(st.lists(st.text("ab1.-@/:{}[]\\^$|()?*+ é", max_size=8), min_size=1, max_size=6))
def test_a_shape_is_a_pattern_of_the_language(texts):
    pattern = shape(texts)
    if pattern is not None:
        assert check_pattern(pattern) is None
        assert all(contains(close_where({"it": {"pattern": pattern}}), {"it": text}) for text in texts)
