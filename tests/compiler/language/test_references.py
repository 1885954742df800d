"""`${…}`: what is a reference, what is not, and what the author is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc.diagnostics import Span
from agentc.references import (
    Reference,
    ReferenceProblem,
    compile_expr,
    has_reference,
    parse_reference,
    unescape,
)
from agentc.source import Map, Node, Scalar, Sequence
from agentc_runtime.expressions import Array, Const, Object, Ref
from agentc_runtime.values import MAX_DEPTH, evaluate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${input}", Reference("input", ())),
        ("${input.x}", Reference("input", ("x",))),
        ("${session.a-b.c_d}", Reference("session", ("a-b", "c_d"))),
        ("${states.find.output}", Reference("states", ("find", "output"))),
        ("${states.find.output.x.y}", Reference("states", ("find", "output", "x", "y"))),
        ("${env.HELPDESK_URL}", Reference("env", ("HELPDESK_URL",))),
        ("${secrets.token}", Reference("secrets", ("token",))),
    ],
)
def test_a_reference_is_a_root_and_a_dotted_path(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected
    assert expected.text == text
    assert expected.full_path == (expected.root, *expected.path)


@pytest.mark.parametrize(
    ("text", "message", "help_text"),
    [
        ("${inptu.x}", "starts with the unknown name `inptu`", "did you mean `input`?"),
        ("id ${input.x}", "`${input.x}` stands inside other text", "the whole value"),
        ("${input.x}${input.y}", "`${input.x}` stands inside other text", "the whole value"),
        ("$${input.x} and ${input.y}", "stands inside other text", "the whole value"),
        ("${input.x", "not closed", "`$${`"),
        ("${input.x[0]}", "is not a reference", "dotted path"),
        ("${ input.x }", "is not a reference", "dotted path"),
        ("${}", "is not a reference", "dotted path"),
        ("${input..x}", "is not a reference", "dotted path"),
        ("${input.x\n}", "is not a reference", "dotted path"),
        ("${input.__class__.f()}", "is not a reference", "dotted path"),
        ("${states.find}", "is not the output of a state", "`${states.find.output}`"),
        ("${states}", "is not the output of a state", "output"),
        ("${states.find.input.x}", "is not the output of a state", "`${states.find.output}`"),
        ("${env}", "is not one name", "`${env.NAME}`"),
        ("${secrets.a.b}", "is not one name", "`${secrets.name}`"),
    ],
)
def test_what_is_no_reference_says_why(text: str, message: str, help_text: str) -> None:
    problem = parse_reference(text)
    assert isinstance(problem, ReferenceProblem)
    assert message in problem.message
    assert help_text in (problem.help or "")


@given(st.text(alphabet="${}.ainput$ "))
def test_every_text_is_a_reference_a_problem_or_a_literal(text: str) -> None:
    if has_reference(text):
        assert isinstance(parse_reference(text), Reference | ReferenceProblem)
    else:
        assert "${" not in text.replace("$${", "")
        assert unescape(text).count("${") == text.count("$${")


def node(value: object) -> Node:
    span = Span("a.yaml", 1, 1, 1, 2)
    if isinstance(value, dict):
        return Map({key: (Scalar(key, span, key), node(item)) for key, item in value.items()}, span)
    if isinstance(value, list):
        return Sequence(tuple(map(node, value)), span)
    assert value is None or isinstance(value, str | int | float)
    return Scalar(value, span, str(value))


def test_values_with_references_become_expressions() -> None:
    compiled = compile_expr(
        node({"a": ["${input.x}", 1], "b": {"c": "$${x}"}, "d": "${secrets.s}", "e": "${nope.x}"})
    )
    assert compiled.expr == Object(
        fields={
            "a": Array(items=(Ref(path=("input", "x")), Const(value=1))),
            "b": Const(value={"c": "${x}"}),
            "d": Const(value=None),
            "e": Const(value=None),
        }
    )
    assert [reference.text for reference, _ in compiled.references] == ["${input.x}", "${secrets.s}"]
    assert [problem.message for problem, _ in compiled.problems] == [
        "`${nope.x}` starts with the unknown name `nope`"
    ]


def test_a_value_that_nests_too_deep_is_a_problem_and_not_a_crash() -> None:
    value: object = "${input.x}"
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    compiled = compile_expr(node(value))
    assert "deeper" in compiled.problems[0][0].message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text().filter(lambda text: "${" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(value=JSON)
def test_a_value_without_references_evaluates_to_itself(value: object) -> None:
    assert evaluate(compile_expr(node(value)).expr, {}) == value
