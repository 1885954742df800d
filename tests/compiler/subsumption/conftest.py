"""Random schemas of every keyword that is decided, and values that tell them apart."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

Schema = dict[str, object]

SCALARS: list[object] = [
    None, True, False, 0, 1, 2, 3, -1, 0.5, 1.5, 6, 10, "", "a", "b", "ab", "aa", "ba", "abc", "1", "A",
    "\u00e9", "a\n", "aaaa", "user@example.com", "2024-01-31",
]  # fmt: skip
ARRAYS: list[object] = [
    [], [1], ["a"], [1, 1], [1, 2], ["a", "b"], ["a", 1], [None], [0.5, 1], [1, 2, 3], [[1]], [{}], [3, 1],
    [1, True],
]  # fmt: skip
OBJECTS: list[object] = [
    {},
    {"a": [1]},
    {"a": {"b": 1}},
    {"a": {}},
    {"a": {"a": 1}, "b": "a"},
    {"extra": 1},
    *(
        dict(zip(names, values, strict=True))
        for size in (1, 2)
        for names in itertools.combinations(["a", "b", "c", "x1"], size)
        for values in itertools.product([1, "a", None], repeat=size)
    ),
]
INNER: list[object] = [1, "a", None, {}, [], {"a": 1}, {"b": "a"}, [1], {"a": {}}, {"a": {"a": {}}}, [[]]]
NESTED: list[object] = [
    nest
    for one in INNER
    for nest in ({"a": one}, {"b": one}, [one], {"a": one, "b": one}, {"a": {"b": one}}, [[one]])
]
#: Values that most schemas of `any_schema` treat in different ways.
VALUES = [*SCALARS, *ARRAYS, *OBJECTS, *NESTED]
PATTERNS = [
    "^a", "b$", "^a*$", "^[ab]{1,2}$", "a|b", "^(a|b)c?$", "^$", "[^a]", "^\\d+$", "\\w", "^.$", "\\p{L}",
    "^(?:[a-z]|\\d)*$", "^a|b$", "(ab|b)+$", "^[^\\d]\\S?$",
]  # fmt: skip
NAMES = ["a", "b", "c"]
TYPES = ["integer", "number", "string", "array", "object", "boolean", "null"]


class Schemas:
    """Schemas from one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def any_schema(self, depth: int = 3) -> Schema:
        """One that nests at most so deep."""
        makers: list[Callable[[int], Schema]] = [self.scalar, self.sized]
        if depth > 0:
            makers += [self.scalar, self.array, self.thing, self.thing, self.logic, self.logic, self.closed]
        return self.chance.choice(makers)(depth - 1)

    def near(self, schema: object) -> Schema:
        """Another one that differs in one place or a few."""
        chance = self.chance
        keywords = sorted(schema.keys() - {"$defs"}) if isinstance(schema, dict) else []
        if not isinstance(schema, dict) or not keywords or chance.random() < 0.1:
            return self.any_schema(1)
        keyword = chance.choice(keywords)
        value = schema[keyword]
        match keyword, value, chance.random():
            case _, _, roll if roll < 0.4:
                return {**schema, **self.scalar(0)}
            case (("allOf" | "anyOf" | "oneOf" | "prefixItems"), list(), _):
                at = chance.randrange(len(value))
                return {**schema, keyword: [*value[:at], self.near(value[at]), *value[at + 1 :]]}
            case "properties", dict(), _ if value:
                name = chance.choice(sorted(value))
                return {**schema, keyword: {**value, name: self.near(value[name])}}
            case (("items" | "not" | "if" | "then" | "else" | "additionalProperties" | "contains"), _, _):
                return {**schema, keyword: self.near(value)}
            case _:
                return {key: part for key, part in schema.items() if key != keyword}

    def part(self, depth: int) -> object:
        return self.any_schema(depth) if self.chance.random() < 0.9 else self.chance.choice([True, False])

    def parts(self, depth: int) -> list[object]:
        return [self.part(depth) for _ in range(self.chance.randint(1, 3))]

    def number(self) -> float:
        return self.chance.choice([0, 1, 2, 3, -1, 0.5, 1.5, 10, 5, 7])

    def scalar(self, depth: int) -> Schema:
        chance = self.chance
        return chance.choice(
            [
                {"type": chance.choice([*TYPES, ["string", "null"], ["integer", "object"]])},
                {"enum": chance.sample([*SCALARS, *ARRAYS[:6], *OBJECTS[:6]], chance.randint(1, 4))},
                {"const": chance.choice(VALUES)},
                {"type": "integer", "minimum": self.number()},
                {
                    chance.choice(
                        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
                    ): self.number()
                },
                {"minimum": self.number(), "maximum": self.number()},
                {"multipleOf": chance.choice([1, 2, 3, 0.5, 0.1, 1.5])},
                {"pattern": chance.choice(PATTERNS)},
                {"type": "string", "pattern": chance.choice(PATTERNS), "maxLength": chance.randint(0, 3)},
                {"format": chance.choice(["email", "date"])},
                chance.choice(
                    [{"contentEncoding": "base64"}, {"pattern": "^(?=a)"}, {"maximum": 5}, {"minimum": 2}]
                ),
                {"uniqueItems": True},
                {"required": chance.sample(NAMES, chance.randint(1, 2))},
            ]
        )

    def sized(self, depth: int) -> Schema:
        about = self.chance.choice(["Length", "Items", "Properties"])
        return {self.chance.choice(["min", "max"]) + about: self.chance.randint(0, 3)}

    def array(self, depth: int) -> Schema:
        chance = self.chance
        first: Schema = {"prefixItems": self.parts(depth)} if chance.random() < 0.4 else {"type": "array"}
        rest: Schema = (
            {"items": self.part(depth)} if chance.random() < 0.6 else {"contains": self.part(depth)}
        )
        schema = {**first, **rest, **({"uniqueItems": True} if chance.random() < 0.3 else {})}
        if chance.random() < 0.05:  # what is not decided
            return {
                **schema,
                **chance.choice([{"unevaluatedItems": False}, {"contains": {}, "maxContains": 1}]),
            }
        return schema

    def thing(self, depth: int) -> Schema:
        chance = self.chance
        names = chance.sample(NAMES, chance.randint(1, 3))
        schema: Schema = {"properties": {name: self.part(depth) for name in names}}
        more: list[tuple[float, Schema]] = [
            (0.6, {"type": "object"}),
            (0.4, {"required": chance.sample(NAMES, chance.randint(1, 2))}),
            (0.4, {"additionalProperties": self.part(depth)}),
            (0.15, {"patternProperties": {chance.choice(["^x", "1$", "^[ab]$"]): self.part(depth)}}),
            (0.1, {"propertyNames": {"pattern": chance.choice(["^[abc]$", "^x|a"])}}),
            (0.1, {"dependentRequired": {"a": ["b"]}}),
            (0.1, {"dependentSchemas": {"a": self.part(depth)}}),
            (0.2, self.sized(depth)),
        ]
        for share, keywords in more:
            if chance.random() < share:
                schema |= keywords
        return schema

    def logic(self, depth: int) -> Schema:
        chance = self.chance
        return chance.choice(
            [
                {chance.choice(["allOf", "anyOf", "oneOf"]): self.parts(depth)},
                {"not": self.part(depth)},
                {"if": self.part(depth), "then": self.part(depth), "else": self.part(depth)},
            ]
        )

    def closed(self, depth: int) -> Schema:
        chance = self.chance
        schema: Schema = {chance.choice(["allOf", "anyOf", "oneOf"]): self.parts(depth)}
        if chance.random() < 0.5:
            schema["properties"] = {"a": self.part(depth)}
        return {**schema, "unevaluatedProperties": chance.choice([False, False, self.part(depth)])}

    def recursive(self) -> Schema:
        """One of definitions that refer to each other and to themselves."""
        chance = self.chance
        names = ["d0", "d1", "d2"][: chance.randint(1, 3)]

        def inner() -> Schema:
            again = {"$ref": f"#/$defs/{chance.choice(names)}"}
            return chance.choice(
                [
                    {"properties": {"a": again, "b": self.part(1)}, **self.scalar(0)},
                    {"properties": {"a": again, "b": {"not": again}}},
                    {"type": "object", "properties": {"a": again}, "required": ["a"]},
                    {"type": "object", "additionalProperties": again, "maxProperties": 2},
                    {"anyOf": [{"type": "array", "items": again}, self.scalar(0)]},
                    {
                        "anyOf": [
                            {"type": "object", "required": ["a"], "properties": {"a": again}},
                            self.scalar(0),
                        ]
                    },
                ]
            )

        first = {"$ref": "#/$defs/d0"}
        return {
            "$defs": {name: inner() for name in names},
            chance.choice(["allOf", "anyOf"]): [first, self.part(1)],
        }


@pytest.fixture(scope="session")
def schemas() -> Callable[[int], Schemas]:
    """Schemas of a seed."""
    return lambda seed: Schemas(random.Random(seed))


@pytest.fixture(scope="session")
def values() -> list[object]:
    """Values that tell random schemas apart."""
    return VALUES
