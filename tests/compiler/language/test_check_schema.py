"""The subset of JSON Schema: a keyword that nobody reads, or that says nothing, is found where it stands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from agentc.diagnostics import Span
from agentc.predicates import SchemaProblem, check_schema, close_schema
from agentc.predicates.check import KEYWORDS
from agentc.source import Map, Node, Scalar, Sequence


def node(value: object) -> Node:
    span = Span("a.yaml", 1, 1, 1, 2)
    if isinstance(value, dict):
        return Map({key: (Scalar(key, span, key), node(item)) for key, item in value.items()}, span)
    if isinstance(value, list):
        return Sequence(tuple(map(node, value)), span)
    assert value is None or isinstance(value, str | int | float)
    return Scalar(value, span, str(value))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": True, "b": {"type": ["string", "null"]}}, "required": ["a"]},
        {"maximum": 50, "exclusiveMinimum": 0, "multipleOf": 0.5},
        {"type": "integer", "minimum": 1, "maximum": 1, "enum": [1]},
        {"enum": ["a", None, 1, {"x": []}]},
        {"const": None},
        {"type": "string", "pattern": "^T-[0-9]+$", "format": "email", "minLength": 0, "maxLength": 9},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        {"prefixItems": [{}, False], "items": False},
        {"not": {"anyOf": [{"const": 1}, {"oneOf": [{"const": 2}], "allOf": [True]}]}},
        {"type": "object", "required": ["x"], "additionalProperties": True, "properties": {}},
        {"allOf": [{"properties": {"x": {}}}], "properties": {}, "required": ["x"]},
        {"title": "t", "description": "d", "default": [1], "examples": ["a"]},
        {"$defs": {"T": {"properties": {"next": {"$ref": "#/$defs/T"}}}}, "$ref": "#/$defs/T"},
        {"properties": {"child": {"$ref": "#"}}},
        {"type": "number", "enum": [1, 1.5]},
    ],
)
def test_schemas_of_the_subset(schema: dict[str, object]) -> None:
    assert check_schema(node(schema)) == []
    Draft202012Validator(close_schema(schema))


@pytest.mark.parametrize(
    ("schema", "code", "path", "message", "help_text"),
    [
        ({"maximun": 5}, "AC301", ("maximun",), "`maximun` is not a keyword", "did you mean `maximum`?"),
        ({"properties": {"a": {"Type": "string"}}}, "AC301", ("properties", "a", "Type"), "`Type`", "`type`"),
        ({"nullable": True}, "AC301", ("nullable",), "`nullable`", "type: [string, 'null']"),
        ({"patternProperties": {}}, "AC301", ("patternProperties",), "not a keyword", "name the properties"),
        ({"if": {}}, "AC301", ("if",), "not a keyword", "`anyOf`"),
        (
            {"unevaluatedProperties": False},
            "AC301",
            ("unevaluatedProperties",),
            "not a keyword",
            "leave it out",
        ),
        ({"x-mine": 1}, "AC301", ("x-mine",), "not a keyword", ""),
        ({"format": "e-mail"}, "AC301", ("format",), "`e-mail` is not a format", "did you mean `email`?"),
        ({"format": "regex"}, "AC301", ("format",), "`regex` is not a format", ""),
        ({"maximum": "5"}, "AC302", ("maximum",), "`maximum` is a number", "without quotes"),
        ({"maximum": True}, "AC302", ("maximum",), "`maximum` is a number", ""),
        ({"maximum": float("nan")}, "AC302", ("maximum",), "`maximum` is a number", ""),
        ({"minLength": -1}, "AC302", ("minLength",), "a whole number", ""),
        ({"minLength": 1.5}, "AC302", ("minLength",), "a whole number", ""),
        ({"multipleOf": 0}, "AC302", ("multipleOf",), "over 0", ""),
        ({"type": "strng"}, "AC302", ("type",), "`type` is one of", "did you mean `string`?"),
        ({"type": []}, "AC302", ("type",), "`type` is one of", ""),
        ({"type": ["string", "string"]}, "AC302", ("type",), "`type` is one of", ""),
        ({"enum": []}, "AC302", ("enum",), "at least one value", ""),
        ({"enum": "EUR"}, "AC302", ("enum",), "`enum` is a list", ""),
        ({"required": "a"}, "AC302", ("required",), "a list of different property names", ""),
        ({"required": ["a", "a"]}, "AC302", ("required",), "different property names", ""),
        ({"pattern": 5}, "AC302", ("pattern",), "a string", ""),
        ({"pattern": "a(?=b)"}, "AC303", ("pattern",), "look-around is not supported (character 2", ""),
        ({"uniqueItems": "yes"}, "AC302", ("uniqueItems",), "true or false", ""),
        ({"items": 5}, "AC302", ("items",), "a schema is a mapping", "const: 5"),
        ({"anyOf": []}, "AC302", ("anyOf",), "at least one schema", ""),
        ({"anyOf": {"type": "string"}}, "AC302", ("anyOf",), "is a list", ""),
        ({"properties": ["a"]}, "AC302", ("properties",), "a mapping from names to schemas", ""),
        ({"minimum": 5, "maximum": 4}, "AC302", ("maximum",), "nothing is between `minimum: 5`", ""),
        ({"exclusiveMinimum": 5, "maximum": 5}, "AC302", ("maximum",), "nothing is between", ""),
        ({"minLength": 5, "maxLength": 4}, "AC302", ("maxLength",), "nothing is between", ""),
        ({"type": "string", "maximum": 5}, "AC302", ("maximum",), "says nothing about `string`", "`number`"),
        ({"type": "integer", "pattern": "a"}, "AC302", ("pattern",), "says nothing about `integer`", ""),
        ({"type": "array", "properties": {}}, "AC302", ("properties",), "says nothing about `array`", ""),
        ({"type": "string", "enum": ["a", 1]}, "AC302", ("enum", 1), "of type `integer`", ""),
        ({"type": "integer", "const": 1.5}, "AC302", ("const",), "of type `number`", ""),
        (
            {"properties": {"amount": {}}, "required": ["amout"]},
            "AC302",
            ("required", 0),
            "`amout` is required and is not one of the properties",
            "did you mean `amount`?",
        ),
        ({"$ref": "#/$defs/x"}, "AC302", ("$ref",), "leads to no schema", "define it"),
        ({"$defs": {"Ticket": {}}, "$ref": "#/$defs/Tiket"}, "AC302", ("$ref",), "leads to", "`Ticket`"),
        ({"$ref": "https://example.com/x"}, "AC302", ("$ref",), "leads to no schema", ""),
        ({"properties": {"a": {"$defs": {}}}}, "AC302", ("properties", "a", "$defs"), "at the top", ""),
        ({"$ref": "#"}, "AC302", (), "defined by itself", "property or item"),
        (
            {"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {}]}}},
            "AC302",
            ("$defs", "A"),
            "defined by itself",
            "",
        ),
        (5, "AC302", (), "a schema is a mapping", "const: 5"),
        ("EUR", "AC302", (), "a schema is a mapping", "const: EUR"),
        ([], "AC302", (), "a schema is a mapping", ""),
    ],
)
def test_what_is_outside_is_found_where_it_stands(
    schema: object, code: str, path: tuple[str | int, ...], message: str, help_text: str
) -> None:
    (problem,) = check_schema(node(schema))
    assert (problem.code, problem.path) == (code, path)
    assert message in problem.message
    assert help_text in (problem.help or "")


def test_limits_are_written_out() -> None:
    problems = check_schema(node({"$ref": "#/$defs/T", "$defs": {"T": {}}}), references=False)
    assert [(problem.code, problem.path, problem.key) for problem in problems] == [
        ("AC301", ("$ref",), True),
        ("AC301", ("$defs",), True),
    ]


def test_all_problems_are_found_in_source_order() -> None:
    schema = {"maximun": 1, "properties": {"a": {"pattern": "("}, "b": {"enum": []}}, "minLength": "x"}
    assert [problem.path for problem in check_schema(node(schema))] == [
        ("maximun",),
        ("properties", "a", "pattern"),
        ("properties", "b", "enum"),
        ("minLength",),
    ]


def test_a_schema_that_nests_too_deep_is_a_problem() -> None:
    schema: object = {}
    for _ in range(200):
        schema = {"not": schema}
    (problem,) = check_schema(node(schema))
    assert "deeper" in problem.message


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.sampled_from(["string", "#", "#/$defs/a", "a+", "email"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*sorted(KEYWORDS), "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(ANY)
def test_what_is_accepted_is_valid_json_schema_and_can_be_closed(schema: object) -> None:
    problems = check_schema(node(schema))
    assert all(isinstance(problem, SchemaProblem) for problem in problems)
    if not problems and isinstance(schema, dict):
        Draft202012Validator(close_schema(schema))
