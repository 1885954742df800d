"""Limits only ever get narrower, conditions of approval only wider, whatever an author writes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from agentc.predicates import (
    close_schema,
    close_unless,
    close_where,
    match_when,
    merge_limits,
    open_when,
    origins_of,
)
from agentc_runtime.violations import compile_predicate

Schema = dict[str, object]


def accepts(schema: object, value: object) -> bool:
    assert isinstance(schema, dict)
    return compile_predicate(schema).is_valid(value)


@pytest.mark.parametrize(
    ("limit", "good", "attacks"),
    [
        ({"maximum": 50}, [50, 0.5, -3], ["1000000", None, True, [51], {"amount": 1}, 51]),
        ({"enum": ["EUR"]}, ["EUR"], ["EUR ", "eur", ["EUR"], None]),
        ({"const": 1}, [1, 1.0], [True, "1"]),
        ({"pattern": "T-[0-9]+"}, ["T-1"], ["xT-1", "T-1\n", "T-1x", 1, ["T-1"], "T-٣"]),
        ({"pattern": "^a|b$"}, ["a", "b"], ["ax", "xb"]),
        ({"format": "email"}, ["a@b.example"], ["no", 3, "a@b.example\nBcc: c@d.example"]),
        ({"maxLength": 2}, ["ab"], ["abc", {"length": 1}, [1, 2, 3]]),
        ({"items": {"maximum": 3}}, [[1, 2], []], [[4], ["4"], "4", {"0": 4}]),
        ({"prefixItems": [{"const": "a"}]}, [["a"], []], [["b"], ["a", "rm"], "a"]),
        (
            {"properties": {"country": {"const": "DE"}}},
            [{"country": "DE"}],
            [{}, {"country": "US"}, {"country": "DE", "admin": True}, "DE", []],
        ),
        (
            {"properties": {"a": {"properties": {"b": {"maximum": 1}}}}},
            [{"a": {"b": 1}}],
            [{"a": {}}, {"a": {"b": "2"}}, {"a": {"b": 1, "c": 1}}, {"a": 5}],
        ),
        (
            {"properties": {"a": {"maximum": 1}}, "required": []},
            [{}, {"a": 1}],
            [{"a": "2"}, {"b": 1}],
        ),
        ({"properties": {"a": {}}, "additionalProperties": True}, [{"a": 1, "b": 2}], [{"b": 2}]),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [2], [0, 4, "2"]),
        (
            {"allOf": [{"properties": {"a": {"maximum": 1}}}, {"properties": {"b": {"maximum": 1}}}]},
            [{"a": 1, "b": 1}],
            [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": "2", "b": 1}],
        ),
        ({"anyOf": [{"maximum": 3}, {"pattern": "x"}]}, [3, "x"], [4, "y", None, ["x"]]),
        ({"oneOf": [{"maximum": 3}, {"minimum": 9}]}, [3, 9], [5, "x", None]),
        ({"not": {"enum": ["admin"]}}, ["user"], ["admin"]),
        ({"not": {"maximum": 50}}, [51], [50, "x", None]),
        ({"not": {"properties": {"a": {"const": 1}}}}, [{"a": 2}], [{}, {"a": 1}, {"a": 1, "b": 2}, "x"]),
        ({"type": "string"}, ["x"], [1]),
        ({"type": ["string", "null"], "maxLength": 1}, ["x", None], ["xx", 1]),
    ],
)
def test_a_limit_keeps_what_it_means_and_lets_no_odd_value_through(
    limit: Schema, good: list[object], attacks: list[object]
) -> None:
    where = close_where({"x": limit})
    assert [value for value in good if not accepts(where, {"x": value, "other": 1})] == []
    assert [value for value in attacks if accepts(where, {"x": value})] == []
    assert not accepts(where, {})


@pytest.mark.parametrize(
    ("condition", "asks", "passes"),
    [
        ({"exclusiveMinimum": 20}, [21, "21", None, [], {}], [20, 1]),
        ({"type": "number", "exclusiveMinimum": 20}, [21, "21", None], [20]),
        ({"enum": ["send"]}, ["send"], ["keep"]),
        ({"pattern": ".*@elsewhere"}, ["a@elsewhere", 3], ["a@here", "a@elsewhere.example"]),
        ({"not": {"const": "EUR"}}, ["USD", None, 3], ["EUR"]),
    ],
)
def test_an_approval_is_asked_unless_its_condition_is_surely_false(
    condition: Schema, asks: list[object], passes: list[object]
) -> None:
    when = open_when({"x": condition})
    assert [value for value in asks if not accepts(when, {"x": value})] == []
    assert [value for value in passes if accepts(when, {"x": value})] == []
    assert accepts(when, {})
    assert accepts(when, {"y": 1})


def test_a_choice_needs_what_it_names_and_leaves_the_rest() -> None:
    when = match_when({"properties": {"amount": {"maximum": 20}}})
    assert accepts(when, {"amount": 5, "more": True})
    assert not any(accepts(when, value) for value in [{}, {"amount": "5"}, "x", None, {"amount": 21}])


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object", "properties": {"a": {}}}, [{}, {"a": 1}], [{"b": 1}]),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": True}, [{"b": 1}], []),
        ({"type": "object"}, [{}], [{"a": 1}]),
        ({"type": ["object", "null"], "properties": {"a": {}}}, [None, {"a": 1}], [{"b": 1}]),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {}}}},
            [[{"a": 1}]],
            [[{"b": 1}]],
        ),
        (
            {
                "$defs": {"T": {"type": "object", "properties": {"a": {"$ref": "#/$defs/T"}}}},
                "$ref": "#/$defs/T",
            },
            [{"a": {"a": {}}}],
            [{"b": 1}, {"a": {"b": 1}}],
        ),
        (
            {
                "type": "object",
                "properties": {"k": {}},
                "oneOf": [
                    {"properties": {"a": {"type": "object", "properties": {"x": {}}}}, "required": ["a"]},
                    {"properties": {"b": {}}, "required": ["b"]},
                ],
            },
            [{"k": 1, "a": {"x": 1}}, {"b": 1}],
            [{"a": {}, "b": 1}, {"a": {}, "c": 1}, {"a": {"y": 1}}],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["x", 1], [None]),
        ({"enum": [{"a": 1}]}, [{"a": 1}], [{}]),
        ({"type": "string", "pattern": "a.c"}, ["abc"], ["abcd", "a\rc"]),
    ],
)
def test_data_is_closed_against_properties_that_no_one_named(
    schema: Schema, good: list[object], bad: list[object]
) -> None:
    closed = close_schema(schema)
    assert [value for value in good if not accepts(closed, value)] == []
    assert [value for value in bad if accepts(closed, value)] == []


NAMES = st.sampled_from("abc")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "ab", "a@b.example"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "number", "object", "array", "integer", "null"]),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "maxLength": st.integers(0, 2),
        "pattern": st.just("^(?:a|ab)$"),
        "enum": st.lists(VALUES, min_size=1, max_size=2),
        "minItems": st.integers(0, 2),
    },
)


def composed(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    listed = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "prefixItems": listed,
            "allOf": listed,
            "anyOf": listed,
            "oneOf": listed,
            "not": inner,
            "maximum": st.integers(-2, 2),
        },
    )


SCHEMAS = st.recursive(LEAVES, composed, max_leaves=6)


@settings(max_examples=300)
@given(schema=SCHEMAS, value=VALUES)
def test_stricter_is_narrower_and_open_is_wider(schema: Schema, value: object) -> None:
    plain = Draft202012Validator(schema).is_valid(value)
    assert plain or not accepts(close_where({"x": schema}), {"x": value})
    assert plain or not accepts(match_when(schema), value)
    assert plain or not accepts(close_schema(schema), value)
    assert accepts(open_when({"x": schema}), {"x": value}) or not plain


@settings(max_examples=100)
@given(schema=SCHEMAS)
def test_lowering_twice_is_lowering_once(schema: Schema) -> None:
    for lower in (close_schema, match_when):
        assert lower(lower(schema)) == lower(schema)


@settings(max_examples=300)
@given(own=SCHEMAS, limit=SCHEMAS, value=VALUES)
def test_what_the_model_sees_is_the_tool_schema_and_the_limit_at_once(
    own: Schema, limit: Schema, value: object
) -> None:
    tool: Schema = {"type": "object", "properties": {"x": own, "b": {}}, "required": ["b"]}
    where = close_where({"x": limit})
    merged = merge_limits(tool, {"b"}, where)
    arguments = {"x": value}
    together = accepts(tool, {**arguments, "b": 1}) and accepts(where, arguments)
    assert accepts(merged, arguments) is together
    assert not accepts(merged, {**arguments, "b": 1})


def test_origins_are_no_part_of_a_schema():
    limits = {"to": {"from": ["input", "session"], "maxLength": 9}, "amount": {"maximum": 5}}
    assert origins_of(limits) == {"to": ("input", "session")}
    assert close_where(limits)["properties"]["to"] == {"maxLength": 9, "type": "string"}


def test_an_exception_knows_no_argument_but_those_named_and_those_that_are_settled():
    where = {"currency": {"enum": ["EUR"]}, "to": {"from": ["input"]}, "note": {"maxLength": 9}}
    schema = close_unless({"amount": {"maximum": 5}}, where)
    assert accepts(schema, {})
    assert accepts(schema, {"amount": 5, "currency": "EUR", "to": "a"})
    for attack in ({"amount": 6}, {"amount": "5"}, {"note": "a"}, {"amount": 5, "more": 1}):
        assert not accepts(schema, attack)
