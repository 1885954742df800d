"""A discriminator becomes what it says: which value of the property means which alternative."""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.violations import compile_shape

STRING = {"type": "string"}
CAT = {"type": "object", "properties": {"kind": STRING, "name": STRING, "lives": {"type": "integer"}}}
DOG = {"type": "object", "properties": {"kind": STRING, "name": STRING}}
REFERENCES = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]


def union(word: str = "oneOf", parts: Any = REFERENCES, **discriminator: Any) -> dict[str, Any]:
    return {word: parts, "discriminator": {"propertyName": "kind", **discriminator}}


def accepts(body_schema: Any, schema: Any, value: Any, version: str = "3.0.3", **schemas: Any) -> bool:
    components = {"schemas": {"Cat": CAT, "Dog": DOG, **schemas}}
    arguments = body_schema(schema, components=components, openapi=version)
    return compile_shape(arguments).is_valid({"body": value})


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("discriminator", "cat"),
    [
        ({}, ["Cat"]),
        ({"mapping": {"cat": "#/components/schemas/Cat"}}, ["cat"]),
        ({"mapping": {"cat": "Cat"}}, ["cat"]),
        ({"mapping": {"cat": "Cat", "kitten": "Cat", "dog": "Dog"}}, ["cat", "kitten"]),
        ({"mapping": {"cat": "Cat", "fish": "#/components/schemas/Fish"}}, ["cat"]),
    ],
)
def test_a_value_means_one_alternative(body_schema: Any, word: str, discriminator: Any, cat: Any) -> None:
    schema = union(word, **discriminator)
    for kind in cat:
        assert accepts(body_schema, schema, {"kind": kind, "name": "a", "lives": 9})
        assert accepts(body_schema, schema, {"kind": kind, "name": "a"})
    dog = "dog" if "dog" in discriminator.get("mapping", {}) else "Dog"
    assert accepts(body_schema, schema, {"kind": dog, "name": "a"})
    for bad in ({"kind": dog, "lives": 9}, {"kind": "Fish"}, {"name": "a"}, {"kind": cat[0], "more": 1}):
        assert not accepts(body_schema, schema, bad), bad


def test_a_property_that_no_alternative_describes_can_be_given(body_schema: Any) -> None:
    cat = {"type": "object", "properties": {"name": STRING}}
    assert accepts(body_schema, union(), {"kind": "Cat", "name": "a"}, Cat=cat)


def test_an_alternative_in_another_is_closed_as_a_whole(body_schema: Any) -> None:
    cat = {"allOf": [{"$ref": "#/components/schemas/Dog"}, {"properties": {"lives": {"type": "integer"}}}]}
    assert accepts(body_schema, union(), {"kind": "Cat", "name": "a", "lives": 9}, Cat=cat)
    assert not accepts(body_schema, union(), {"kind": "Dog", "lives": 9}, Cat=cat)


@pytest.mark.parametrize(
    "kind",
    [{"enum": ["CAT"]}, {"type": "string", "const": "CAT"}, {"$ref": "#/components/schemas/Kind"}],
)
def test_an_alternative_that_says_its_values_keeps_them(body_schema: Any, kind: Any) -> None:
    """A mapping that contradicts them is a mistake of the document: the schema is what is checked."""
    cat = {"type": "object", "properties": {"kind": kind, "lives": {"type": "integer"}}}
    schema = union(mapping={"cat": "Cat", "dog": "Dog"})
    more = {"Cat": cat, "Kind": {"type": "string", "enum": ["CAT"]}}
    assert accepts(body_schema, schema, {"kind": "CAT", "lives": 9}, "3.1.0", **more)
    assert not accepts(body_schema, schema, {"kind": "cat", "lives": 9}, "3.1.0", **more)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            union(parts=[CAT, {"type": "object", "properties": {"n": STRING}, "required": ["n"]}]),
            {"lives": 1},
        ),
        (union("anyOf", mapping={"cat": "other.yaml"}), {"lives": 1}),
        (union("anyOf", mapping={"Dog": "Cat"}), {"lives": 1}),
        ({"anyOf": REFERENCES, "discriminator": "kind"}, {"lives": 1}),
        ({"anyOf": REFERENCES, "discriminator": {"propertyName": 5}}, {"lives": 1}),
        (union("anyOf", mapping=["Cat"]), {"kind": "Cat", "lives": 1}),
    ],
)
def test_what_tells_nothing_changes_nothing(body_schema: Any, schema: Any, value: Any) -> None:
    assert accepts(body_schema, schema, value)


def test_below_not_nothing_is_added(body_schema: Any) -> None:
    """There it would allow more."""
    schema = {"type": "object", "properties": {"x": {"type": "object", "not": union("anyOf")}}}
    found = str(body_schema(schema, components={"schemas": {"Cat": CAT, "Dog": DOG}}))
    assert "const" not in found
