"""Expressions over data: what is absent stays absent, and a path reaches nothing but data."""

import pytest

from agentc_runtime.expressions import Array, Const, Object, Ref
from agentc_runtime.values import ABSENT, MAX_DEPTH, ExpressionError, evaluate, lookup, references

DATA = {
    "input": {"name": "Ann", "none": None, "list": [{"x": 1}], "deep": {"x": {"y": 2}}, "keys": "own"},
    "session": {},
    "states": {"find": {"output": {"id": 7}}},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("input", "name"), "Ann"),
        (("input", "none"), None),
        (("input", "deep", "x", "y"), 2),
        (("states", "find", "output", "id"), 7),
        (("input", "missing"), ABSENT),
        (("input", "none", "x"), ABSENT),
        (("input", "name", "upper"), ABSENT),
        (("input", "list", "0"), ABSENT),
        (("input", "list", "__class__"), ABSENT),
        (("input", "__class__"), ABSENT),
        (("input", "items"), ABSENT),
        (("input", "keys"), "own"),
        (("env", "HOME"), ABSENT),
        ((), DATA),
    ],
)
def test_lookup_steps_by_key_into_objects_only(path: tuple[str, ...], expected: object) -> None:
    assert lookup(path, DATA) == expected


def test_absent_is_left_out_of_objects_and_null_in_arrays() -> None:
    expr = Object(
        fields={
            "a": Ref(path=("input", "missing")),
            "b": Array(items=(Ref(path=("input", "missing")), Const(value=[1]))),
            "c": Object(fields={"d": Ref(path=("session", "x"))}),
            "e": Ref(path=("input", "none")),
        }
    )
    assert evaluate(expr, DATA) == {"b": [None, [1]], "c": {}, "e": None}
    assert references(expr) == {("input", "missing"), ("session", "x"), ("input", "none")}
    assert evaluate(Ref(path=("input", "missing")), DATA) is ABSENT


def test_an_expression_that_nests_too_deep_is_an_error() -> None:
    expr: Array | Const = Const(value=1)
    for _ in range(MAX_DEPTH + 1):
        expr = Array(items=(expr,))
    with pytest.raises(ExpressionError, match="deeper"):
        evaluate(expr, DATA)
