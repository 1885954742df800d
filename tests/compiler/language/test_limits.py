"""What the model is shown, and limits that nothing can satisfy."""

import pytest

from agentc.predicates import close_where, contradiction, merge_limits

TOOL: dict[str, object] = {
    "type": "object",
    "description": "Give money back.",
    "properties": {
        "amount": {"type": "number", "minimum": 0, "maximum": 1000, "description": "In EUR."},
        "currency": {"type": "string", "enum": ["EUR", "USD", "GBP"]},
        "note": {"type": "string", "pattern": "[a-z]*"},
        "customer": {"$ref": "#/$defs/Customer"},
        "customer_id": {"type": "string"},
    },
    "required": ["amount", "customer_id"],
    "$defs": {
        "Customer": {"type": "object", "properties": {"id": {"type": "string"}, "vip": {"type": "boolean"}}}
    },
}


def test_limits_are_merged_into_the_schema_and_bound_arguments_leave_it() -> None:
    where = close_where(
        {
            "amount": {"maximum": 50},
            "currency": {"enum": ["USD", "EUR", "YEN"]},
            "note": {"pattern": "[a-f]*"},
            "customer": {"properties": {"id": {"maxLength": 9}}},
        }
    )
    assert merge_limits(TOOL, {"customer_id"}, where) == {
        "type": "object",
        "description": "Give money back.",
        "properties": {
            "amount": {"type": "number", "minimum": 0, "maximum": 50, "description": "In EUR."},
            "currency": {"type": "string", "enum": ["EUR", "USD"]},
            "note": {
                "allOf": [
                    {"type": "string", "pattern": "[a-z]*"},
                    {"type": "string", "pattern": "^(?:[a-f]*)$"},
                ]
            },
            "customer": {
                "type": "object",
                "properties": {"id": {"type": "string", "maxLength": 9}},
                "required": ["id"],
                "additionalProperties": False,
            },
        },
        "required": ["amount", "currency", "customer", "note"],
        "additionalProperties": False,
        "$defs": TOOL["$defs"],
    }


def test_without_limits_only_the_bound_arguments_go() -> None:
    merged = merge_limits(TOOL, {"customer_id", "amount"}, None)
    assert "required" not in merged
    assert merged["additionalProperties"] is False
    assert isinstance(merged["properties"], dict)
    assert sorted(merged["properties"]) == ["currency", "customer", "note"]


@pytest.mark.parametrize(
    ("own", "limit", "reason"),
    [
        ({"type": "string"}, {"maximum": 5}, "the argument is `string`, the limit asks for `number`"),
        ({"type": "integer", "minimum": 10}, {"maximum": 5}, "together they ask for ≥ 10 and ≤ 5"),
        ({"type": "number", "exclusiveMinimum": 5}, {"maximum": 5}, "> 5 and ≤ 5"),
        ({"enum": ["a", "b"]}, {"enum": ["c"]}, "the argument takes none of the limit's values: `c`"),
        ({"enum": ["a", "b"]}, {"pattern": "x.*"}, "the limit takes none of the argument's values"),
        ({"type": "string", "maxLength": 3}, {"const": "long text"}, "takes none of the limit's values"),
        ({"type": "string", "maxLength": 3}, {"minLength": 4}, "at least 4 and at most 3"),
        ({"type": "array", "minItems": 2}, {"maxItems": 1}, "at least 2 and at most 1"),
        (
            {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            {"properties": {"b": {"const": 1}}},
            "no property `b`: it has `a`",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"maximum": 1}}},
            "property `a`: the argument is `string`",
        ),
        (
            {"$defs": {"T": {"type": "string"}}, "$ref": "#/$defs/T"},
            {"minimum": 1},
            "the argument is `string`",
        ),
    ],
)
def test_limits_that_nothing_satisfies(own: dict[str, object], limit: dict[str, object], reason: str) -> None:
    assert reason in (contradiction(own, limit) or "")


@pytest.mark.parametrize(
    ("own", "limit"),
    [
        ({}, {"maximum": 5}),
        ({"type": "number"}, {"maximum": 5}),
        ({"type": "integer", "minimum": 5}, {"maximum": 5}),
        ({"type": "string", "enum": ["a"]}, {"enum": ["a", "b"]}),
        ({"type": ["string", "integer"], "minimum": 10}, {"enum": ["x"]}),
        ({"pattern": "(?<=a)b"}, {"const": "ab"}),
        ({"type": "object"}, {"properties": {"a": {"maximum": 1}}}),
    ],
)
def test_limits_that_something_satisfies(own: dict[str, object], limit: dict[str, object]) -> None:
    assert contradiction(own, limit) is None
