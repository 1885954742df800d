"""What is not decided is said, with its keyword and place; and equal text is equal, whatever it means."""

from __future__ import annotations

import pytest

from agentc.subsumption import Escapes, Included, Undecided, compare, includes

Schema = dict[str, object]


@pytest.mark.parametrize(
    ("wide", "narrow", "reason"),
    [
        ({"maxItems": 1}, {"prefixItems": [{}], "unevaluatedItems": False}, "`unevaluatedItems` at the top"),
        ({"maxItems": 2}, {"contains": {}, "maxContains": 2}, "`contains` at the top"),
        (
            {"properties": {"a": {"maxItems": 2}}},
            {"properties": {"a": {"contains": {}, "maxContains": 2}}},
            "`contains` at `properties/a`",
        ),
        ({"contentEncoding": "base64"}, {}, "`contentEncoding` at the top"),
        ({"maximum": 2**65}, {"anyOf": [{"maximum": 2**64}]}, "`maximum` at"),
    ],
)
def test_the_reason_names_the_keyword_and_its_place(wide: Schema, narrow: Schema, reason: str) -> None:
    found = includes(wide, narrow)
    assert isinstance(found, Undecided)
    assert reason in found.reason
    assert found.reason.endswith("is not decided")


def test_the_reason_quotes_a_pattern_that_is_outside_the_language() -> None:
    found = includes({"minLength": 2}, {"type": "string", "pattern": "^(?=ab)a"})
    assert found == Undecided("the pattern `^(?=ab)a` is outside the language of patterns")


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"$ref": "https://example.com/schema"}, "the `$ref` at `$ref` leads out of the schema"),
        ({"$ref": "#/$defs/none"}, "the `$ref` at `$ref` leads nowhere"),
        ({"$id": "https://example.com/", "type": "string"}, "`$id` at the top is not decided"),
        ({"properties": {"a": {"$dynamicRef": "#a"}}}, "`$dynamicRef` at `properties/a` is not decided"),
        ({"properties": {"a": 3}}, "no mapping stands at `properties/a`"),
        ({"type": "text"}, "no type stands at `type`"),
        ({"allOf": {}}, "no list stands at `allOf`"),
        ({"maxLength": -1}, "no count stands at `maxLength`"),
        ({"maxLength": "3"}, "no count stands at `maxLength`"),
        ({"minimum": "3"}, "no number stands at `minimum`"),
        ({"minimum": float("nan")}, "a schema is no JSON: `nan` at `$.minimum` is not a JSON number"),
        ({"multipleOf": 0}, "no number over 0 stands at `multipleOf`"),
        ({"pattern": 3}, "no text stands at `pattern`"),
        ({"required": [1]}, "no text stands at `required`"),
        ({"uniqueItems": 1}, "no true or false stands at `uniqueItems`"),
    ],
)
def test_what_is_no_schema_is_undecided_on_both_sides(schema: Schema, reason: str) -> None:
    assert includes(schema, {"type": "string"}) == Undecided(reason)
    assert includes({"type": "string"}, schema) == Undecided(reason)


@pytest.mark.parametrize(
    "schema",
    [
        {"unevaluatedItems": False, "prefixItems": [{"type": "string"}]},
        {"contains": {"const": 1}, "maxContains": 2},
        {"contentEncoding": "base64"},
        {"maximum": 2**64},
        {"pattern": "(?=a)b"},
        {"propertyNames": {"contentEncoding": "base64"}},
    ],
)
def test_what_is_not_decided_is_equal_to_itself_beside_what_is(schema: Schema) -> None:
    old = {"type": "object", "properties": {"a": schema, "n": {"type": "integer", "maximum": 5}}}
    new = {"type": "object", "properties": {"a": schema, "n": {"type": "integer", "maximum": 4}}}
    found = compare(old, new)
    assert found.gained == Included()
    assert found.lost == Escapes({"n": 5})


def test_an_unknown_name_of_a_property_is_not_taken_for_a_forbidden_one() -> None:
    # whoever takes "can't be told" for "is forbidden" would say that nothing escapes
    names: Schema = {"propertyNames": {"contentEncoding": "base64"}}
    assert includes({"maxProperties": 0}, {"type": "object", **names}) == Escapes({"extra": "a"})


def test_a_witness_is_found_beside_what_is_not_decided_where_the_validator_confirms_it() -> None:
    assert includes({"maximum": 5}, {"maximum": 2**64}) == Escapes(6)
    assert includes({"type": "integer"}, {"contentEncoding": "base64"}) == Escapes("a")
    assert includes({"type": "string", "maxLength": 0}, {"pattern": "(?=a)a"}) == Escapes("a")


def test_what_only_the_validator_understands_is_decided_where_the_values_can_be_tried() -> None:
    assert includes({"unevaluatedItems": False, "prefixItems": [True]}, {"enum": [[], [1]]}) == Included()
    assert includes({"unevaluatedItems": False, "prefixItems": [True]}, {"enum": [[], [1, 2]]}) == Escapes(
        [1, 2]
    )


def test_a_relation_with_one_side_undecided_keeps_the_witness_of_the_other() -> None:
    found = compare({"type": "string", "minLength": 1}, {"type": "string", "pattern": "^(?=a)[a-z]*$"})
    assert found.relation == "undecided"
    assert isinstance(found.gained, Undecided)
    assert found.lost == Escapes("0")
