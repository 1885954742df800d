"""Limits and conditions as authors write them, lowered as the compiler does: what a reviewer is shown."""

from __future__ import annotations

import pytest

from agentc.predicates import close_where, open_when
from agentc.subsumption import (
    Complement,
    Escapes,
    Included,
    Intersection,
    Region,
    Undecided,
    compare,
    includes,
)

Schema = dict[str, object]

REFUND: Schema = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "amount": {"type": "number", "minimum": 0, "multipleOf": 0.01},
        "currency": {"enum": ["EUR", "USD"]},
        "note": {"type": "string", "maxLength": 200},
    },
    "required": ["order", "amount", "currency"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("old", "new", "gained", "lost"),
    [
        ({"n": {"maximum": 50}}, {"n": {"maximum": 100}}, {"n": 51}, None),
        ({"n": {"maximum": 50}}, {"n": {"maximum": 49.5}}, None, {"n": 50}),
        ({"n": {"minimum": 0, "maximum": 9}}, {"n": {"minimum": -5, "maximum": 9}}, {"n": -1}, None),
        ({"n": {"multipleOf": 0.1}}, {"n": {"multipleOf": 0.01}}, {"n": 0.99}, None),
        ({"c": {"enum": ["EUR"]}}, {"c": {"enum": ["EUR", "CHF"]}}, {"c": "CHF"}, None),
        ({"n": {"maximum": 5}, "c": {"const": "EUR"}}, {"n": {"maximum": 5}}, {"n": 1}, None),
        ({"n": {"maximum": 5}}, {"c": {"const": "EUR"}}, {"c": "EUR"}, {"n": 1}),
        ({"to": {"format": "email"}}, {"to": {"maxLength": 29}}, {"to": "a"}, {"to": f"{'a' * 25}@a.aa"}),
        (
            {"to": {"format": "email", "pattern": ".*@corp\\.example"}},
            {"to": {"format": "email", "pattern": ".*@(corp|partner)\\.example"}},
            {"to": "a@partner.example"},
            None,
        ),
        (
            {"to": {"format": "email", "pattern": ".*@corp\\.example"}},
            {"to": {"format": "email", "pattern": ".*@corp.example"}},
            {"to": "a@corpaexample"},
            None,
        ),
        ({"id": {"pattern": "T-[0-9]{4}"}}, {"id": {"pattern": "T-[0-9]{3,4}"}}, {"id": "T-000"}, None),
        ({"id": {"pattern": "T-[0-9]{4}"}}, {"id": {"pattern": "[A-Z]-[0-9]{4}"}}, {"id": "A-0000"}, None),
        (
            {"url": {"format": "uri", "pattern": "https://docs\\.example\\.com/.*"}},
            {"url": {"format": "uri", "pattern": "https://.*\\.example\\.com/.*"}},
            {"url": "https://a.example.com/"},
            None,
        ),
        (
            {"day": {"format": "date", "pattern": "2024-.*"}},
            {"day": {"format": "date", "pattern": "202[45]-.*"}},
            {"day": "2025-01-01"},
            None,
        ),
        (
            {"tags": {"items": {"enum": ["a", "b"]}, "maxItems": 2}},
            {"tags": {"items": {"enum": ["a", "b"]}, "maxItems": 3}},
            {"tags": ["a", "a", "a"]},
            None,
        ),
        (
            {"tags": {"items": {"enum": ["a", "b"]}, "uniqueItems": True}},
            {"tags": {"items": {"enum": ["a", "b"]}}},
            {"tags": ["a", "a"]},
            None,
        ),
        (
            {"at": {"properties": {"land": {"enum": ["DE"]}}}},
            {"at": {"properties": {"land": {"enum": ["DE", "FR"]}}}},
            {"at": {"land": "FR"}},
            None,
        ),
        (
            {"at": {"properties": {"land": {"enum": ["DE"]}}}},
            {"at": {"properties": {"land": {"enum": ["DE"]}}, "additionalProperties": True}},
            {"at": {"land": "DE", "extra": "a"}},
            None,
        ),
        (
            {"x": {"not": {"const": "admin"}}},
            {"x": {"not": {"enum": ["admin", "root"]}}},
            None,
            {"x": "root"},
        ),
    ],
)
def test_a_changed_limit_has_this_witness(old: Schema, new: Schema, gained: object, lost: object) -> None:
    found = compare(close_where(old), close_where(new))
    assert found.gained == (Included() if gained is None else Escapes(gained))
    assert found.lost == (Included() if lost is None else Escapes(lost))


def unasked(where: Schema, when: Schema | None) -> Region:
    """The calls that a grant lets through with nobody asked."""
    allowed = Intersection((REFUND, close_where(where)))
    return allowed if when is None else Intersection((allowed, Complement(open_when(when))))


@pytest.mark.parametrize(
    ("old", "new", "relation", "gained"),
    [
        (({"amount": {"maximum": 50}}, None), ({"amount": {"maximum": 50}}, {}), "narrower", None),
        (
            ({"amount": {"maximum": 50}}, {"amount": {"exclusiveMinimum": 20}}),
            ({"amount": {"maximum": 50}}, {"amount": {"exclusiveMinimum": 30}}),
            "wider",
            20.01,
        ),
        (
            ({"amount": {"maximum": 50}}, {"amount": {"exclusiveMinimum": 20}}),
            ({"amount": {"maximum": 50}}, None),
            "wider",
            20.01,
        ),
        (
            ({"amount": {"maximum": 50}}, {"amount": {"exclusiveMinimum": 20}}),
            ({"amount": {"maximum": 99}}, {"amount": {"exclusiveMinimum": 20}}),
            "equal",
            None,
        ),
        (
            ({"amount": {"maximum": 50}}, {"amount": {"exclusiveMinimum": 20}}),
            ({"amount": {"maximum": 20}}, None),
            "equal",
            None,
        ),
        (
            ({}, {"amount": {"exclusiveMinimum": 20}}),
            ({}, {"amount": {"exclusiveMinimum": 20}, "currency": {"const": "USD"}}),
            "wider",
            20.01,
        ),
    ],
)
def test_what_passes_unasked_is_compared_as_a_region(
    old: tuple[Schema, Schema | None], new: tuple[Schema, Schema | None], relation: str, gained: float | None
) -> None:
    found = compare(unasked(*old), unasked(*new))
    assert found.relation == relation, found
    if gained is not None:
        assert isinstance(found.gained, Escapes)
        assert isinstance(found.gained.witness, dict)
        assert found.gained.witness["amount"] == gained


def test_a_witness_is_a_whole_call() -> None:
    old, new = close_where({"amount": {"maximum": 50}}), close_where({"amount": {"maximum": 100}})
    assert includes(Intersection((REFUND, old)), Intersection((REFUND, new))) == Escapes(
        {"order": "a", "amount": 50.01, "currency": "EUR"}
    )


def test_a_limit_that_the_tool_has_anyway_changes_nothing() -> None:
    whole = Intersection((REFUND, close_where({"note": {"maxLength": 500}})))
    assert includes(REFUND, whole) == Included()
    with_note = Intersection((REFUND, close_where({"note": {}})))
    assert compare(with_note, whole).relation == "equal"


def test_a_format_is_never_taken_for_a_pattern_that_looks_like_it() -> None:
    addresses = close_where({"to": {"format": "email"}})
    looks = close_where({"to": {"pattern": "[a-z]+@[a-z]+\\.[a-z]+"}})
    assert isinstance(includes(looks, addresses), Escapes)
    assert isinstance(includes(addresses, looks), Undecided | Escapes)


def test_regions_that_never_may_be_reached_are_asked_for_with_a_complement() -> None:
    deleting = {"properties": {"mode": {"const": "delete"}}, "required": ["mode"]}
    never = Complement(deleting)
    grant = close_where({"mode": {"enum": ["read", "delete"]}})
    assert includes(never, grant) == Escapes({"mode": "delete"})
    assert includes(never, close_where({"mode": {"enum": ["read"]}})) == Included()
