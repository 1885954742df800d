"""Coverage of choices: proved means that no value is left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.coverage import always_there, gap, takes

bounds = st.one_of(st.integers(-6, 6), st.sampled_from([-2.5, -0.5, 0.5, 2.25]))
ranges = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), bounds),
)


@given(st.sampled_from(["integer", "number"]), ranges, st.lists(ranges, max_size=4))
def test_a_covered_range_leaves_no_number_over(
    kind: str, domain: dict[str, float], whens: list[dict[str, float]]
) -> None:
    schema: dict[str, object] = {"type": kind, **domain}
    step = 1 if kind == "integer" else 0.125
    left = [
        value
        for count in range(round(20 / step))
        if takes(schema, value := -10 + count * step) and not any(takes(when, value) for when in whens)
    ]
    assert (gap(schema, whens) is None) == (not left)


@pytest.mark.parametrize(
    ("schema", "whens", "left"),
    [
        ({"enum": ["a", "b"]}, [{"const": "a"}, {"enum": ["b", "c"]}], None),
        ({"enum": ["a", "b"]}, [{"const": "a"}], '`"b"`'),
        ({"type": "boolean"}, [{"const": True}, {"const": False}], None),
        ({"type": "boolean"}, [{"const": True}], "`false`"),
        ({"type": ["boolean", "null"]}, [{"type": "boolean"}], "`null`"),
        ({"type": "string"}, [{"minLength": 1}, {"maxLength": 0}], "some values"),
        ({"type": "string"}, [{"type": "string"}], None),
        ({"type": "string"}, [{}], None),
        ({"type": "number"}, [{"maximum": 5}, {"exclusiveMinimum": 5}], None),
        ({"type": "number"}, [{"maximum": 5}, {"minimum": 6}], "`5.5`"),
        ({"type": "integer"}, [{"maximum": 5}, {"minimum": 6}], None),
        ({"type": "integer"}, [], "`-1`"),
        ({"type": "number"}, [{"type": "integer"}], "some values"),
        ({"type": "integer"}, [{"type": "number", "maximum": 5}, {"minimum": 6}], None),
        ({"type": "number"}, [{"maximum": 10**400}, {"minimum": 3}], "some values"),
        ({"type": "number"}, [{"maximum": "5"}], "`0`"),
        ({}, [{"const": 1}], "some values"),
    ],
)
def test_what_is_left_over(
    schema: dict[str, object], whens: list[dict[str, object]], left: str | None
) -> None:
    assert gap(schema, whens) == left


def test_a_value_is_there_when_every_step_to_it_is_required() -> None:
    inner: dict[str, object] = {"type": "object", "properties": {"b": {}}, "required": ["b"]}
    schema: dict[str, object] = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    assert always_there(schema, ["a", "b"])
    assert always_there(schema, [])
    assert not always_there({**schema, "required": []}, ["a", "b"])
    assert not always_there({**schema, "properties": {"a": {**inner, "required": []}}}, ["a", "b"])
    assert not always_there({**schema, "type": ["object", "null"]}, ["a"])
