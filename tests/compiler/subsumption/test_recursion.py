"""Schemas that refer to themselves and to each other: values are finite, and so is the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.subsumption import Escapes, Included, Limits, Undecided, compare, includes
from agentc_runtime.violations import compile_shape

Schema = dict[str, object]


def to(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def node(leaf: object, **children: object) -> Schema:
    properties = {"v": leaf, **children}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def chain(length: int, most: int) -> Schema:
    """A list of exactly so many links, a number at its end."""
    links: Schema = {f"d{at}": node(False, a=to(f"d{at + 1}")) for at in range(length)}
    for link in links.values():
        assert isinstance(link, dict)
        link["required"] = ["a"]
    return {"$defs": {**links, f"d{length}": {"type": "integer", "maximum": most}}, **to("d0")}


WHOLE: Schema = {"type": "integer"}
TREE: Schema = {"$defs": {"t": node(WHOLE, a=to("t"), b=to("t"))}, **to("t")}


@pytest.mark.parametrize(
    ("definitions", "relation", "gained"),
    [
        ({"x": node(WHOLE, a=to("y"), b=to("x")), "y": node(WHOLE, a=to("x"), b=to("y"))}, "equal", None),
        (
            {"x": node(WHOLE, a=to("y"), b=to("y")), "y": node({}, a=to("x"), b=to("x"))},
            "wider",
            {"a": {"v": "a"}},
        ),
        ({"x": node(WHOLE, a=to("y")), "y": node(WHOLE, a=to("x"), b=to("y"))}, "narrower", None),
        (
            {
                "x": node(WHOLE, a=to("y"), b=to("z")),
                "y": node(WHOLE, a=to("z"), b=to("x")),
                "z": node(WHOLE, a=to("x"), b=to("y")),
            },
            "equal",
            None,
        ),
        (
            {
                "x": node(WHOLE, a=to("y"), b=to("x")),
                "y": {"anyOf": [node(WHOLE, a=to("x"), b=to("y")), to("z")]},
                "z": {"const": 0},
            },
            "wider",
            {"a": 0},
        ),
    ],
)
def test_definitions_that_refer_to_each_other_are_compared(
    definitions: Schema, relation: str, gained: object
) -> None:
    found = compare(TREE, {"$defs": definitions, **to("x")})
    assert found.relation == relation
    assert gained is None or found.gained == Escapes(gained)


@pytest.mark.parametrize(
    "definitions",
    [
        {"x": {"type": "object", "properties": {"a": to("x")}, "required": ["a"]}},
        {
            "x": {"type": "object", "properties": {"a": to("y")}, "required": ["a"]},
            "y": {"type": "array", "prefixItems": [to("x")], "minItems": 1},
        },
        {
            "x": {"anyOf": [to("y"), to("z")]},
            "y": {"type": "object", "additionalProperties": to("z"), "minProperties": 1},
            "z": {"type": "object", "properties": {"a": to("y"), "b": to("x")}, "required": ["a", "b"]},
        },
    ],
)
def test_what_would_never_end_has_no_value(definitions: Schema) -> None:
    schema = {"$defs": definitions, **to("x")}
    assert includes(False, schema) == Included()
    assert compare(schema, {"not": {}}).relation == "equal"


def test_a_tree_ends_where_its_other_branch_does() -> None:
    leaf_or_more = {"anyOf": [{"const": 0}, {"type": "array", "prefixItems": [to("x")], "minItems": 1}]}
    schema: Schema = {"$defs": {"x": leaf_or_more}, **to("x")}
    assert includes({"anyOf": [{"type": "integer"}, {"maxItems": 0}]}, schema) == Escapes([0])


def animals(most: int) -> Schema:
    """A union whose members refer to the union again, each spelling it out."""

    def animal(kind: str, **more: object) -> Schema:
        properties = {"kind": {"const": kind}, "friend": {"oneOf": [to("cat"), to("dog")]}, **more}
        return {
            "type": "object",
            "properties": properties,
            "required": ["kind"],
            "additionalProperties": False,
        }

    cat, dog = animal("cat", lives={"type": "integer", "maximum": most}), animal("dog")
    return {"$defs": {"cat": cat, "dog": dog}, "oneOf": [to("cat"), to("dog")]}


def test_a_union_whose_members_refer_to_it_is_compared() -> None:
    assert compare(animals(9), {**animals(9), "title": "animals"}).relation == "equal"
    found = compare(animals(9), animals(10))
    assert found.relation == "wider"
    assert found.gained == Escapes({"kind": "cat", "lives": 10})


def test_a_value_is_looked_for_as_deep_as_the_runtime_reads() -> None:
    found = includes(chain(50, 5), chain(50, 6))
    assert isinstance(found, Escapes)
    assert str(found.witness).count("{") == 50
    # no call nests so deep, so nothing is let through
    assert includes(chain(100, 5), chain(100, 6)) == Included()


def test_many_definitions_that_refer_to_each_other_take_no_exponential_time() -> None:
    def graph(prefix: str, most: int) -> Schema:
        names = [f"{prefix}{at}" for at in range(80)]
        made: Schema = {
            name: node({"maximum": at}, a=to(names[(at * 7 + 1) % 80]), b=to(names[(at * 13 + 5) % 80]))
            for at, name in enumerate(names)
        }
        made[names[79]] = node({"maximum": most})
        return {"$defs": made, **to(names[0])}

    limits = Limits(steps=60_000, steps_with_solver=0)
    assert compare(graph("x", 79), graph("y", 79), limits=limits).relation == "equal"
    found = compare(graph("x", 79), graph("y", 78), limits=limits)
    assert found.relation == "narrower"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_nothing_escapes_from_a_recursive_schema_that_is_included(
    schemas: Callable[[int], Any], values: list[object], seed: int
) -> None:
    source = schemas(seed)
    narrow = source.recursive()
    wide = source.near(narrow) if seed % 2 else source.recursive()
    inside, outside = compile_shape(narrow), compile_shape(wide)
    escaping = [one for one in values if inside.is_valid(one) and not outside.is_valid(one)]
    for limits in (Limits(), Limits(steps=-1)):
        match includes(wide, narrow, limits=limits):
            case Included():
                assert escaping == []
            case Escapes(witness):
                assert inside.is_valid(witness)
                assert not outside.is_valid(witness)
            case Undecided() as found:
                assert "steps" not in found.reason
