"""`unevaluatedProperties`: which properties other keywords of the same object have looked at, and when.

A property is looked at by `properties` beside it, and by those in parts that the value satisfies: so for each
property either one of the parts that name it holds, or the property's value satisfies the keyword's schema.
(JSON Schema 2020-12 core, 11.3.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from .formulas import FALSE, TRUE, Matches, Node
from .judge import matches
from .reading import Reader, Schema
from .references import Place
from .values import STRING

#: Parts of a schema that are about the same value.
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_MAX_NESTING: Final = 24
#: How many patterns of names may part the names that are left over.
_MOST_PATTERNS: Final = 4


class _Look(NamedTuple):
    """While `when` holds, these properties are looked at."""

    when: Node
    names: frozenset[str]
    patterns: tuple[str, ...]
    every: bool

    def at(self, name: str) -> bool:
        """Whether the property of this name is one of them."""
        return self.every or name in self.names or any(matches(one, name) for one in self.patterns)


def unevaluated(reader: Reader, schema: Schema, each: Node, place: Place) -> Node:
    """What `unevaluatedProperties` asks of a value, `each` being its formula."""
    if each is TRUE or "additionalProperties" in schema:
        return TRUE  # nothing is left over
    arena = reader.arena
    looks: list[_Look] = []
    for look in _looks(reader, schema, TRUE, place, _MAX_NESTING, own=True):
        if look is None:
            return reader.opaque(schema, "unevaluatedProperties", place)
        looks.append(look)
    names = list(dict.fromkeys(name for look in looks for name in sorted(look.names)))
    patterns = list(dict.fromkeys(pattern for look in looks for pattern in look.patterns))
    if len(patterns) > _MOST_PATTERNS:
        return reader.opaque(schema, "unevaluatedProperties", place)
    conditions: list[Node] = []
    for name in names:
        seen = arena.any_of(look.when for look in looks if look.at(name))
        conditions.append(arena.any_of([seen, reader.members(arena.named([name]), each)]))
    unnamed = [arena.negation(arena.named(names))] if names else []
    for mask in range(1 << len(patterns)):
        matched = {pattern for at, pattern in enumerate(patterns) if mask >> at & 1}
        signs = [arena.literal(STRING, Matches(pattern), positive=pattern in matched) for pattern in patterns]
        seen = arena.any_of(
            look.when for look in looks if look.every or not matched.isdisjoint(look.patterns)
        )
        rest = reader.members(arena.all_of([*unnamed, *signs]), each)
        conditions.append(arena.any_of([seen, rest]))
    return arena.all_of(conditions)


def _looks(
    reader: Reader, schema: object, when: Node, place: Place, fuel: int, *, own: bool = False
) -> Iterator[_Look | None]:
    """What a schema looks at while `when` holds; `None` for what can't be told."""
    if not isinstance(schema, Mapping):
        return
    if fuel == 0:
        yield None
        return
    named, patterns = schema.get("properties"), schema.get("patternProperties")
    every = "additionalProperties" in schema or (not own and "unevaluatedProperties" in schema)
    yield _Look(
        when,
        frozenset(named if isinstance(named, Mapping) else ()),
        tuple(patterns if isinstance(patterns, Mapping) else ()),
        every,
    )
    for part, where, condition in _parts(reader, schema, place):
        holds = reader.arena.all_of([when, condition])
        if holds is not FALSE:
            yield from _looks(reader, part, holds, where, fuel - 1)


def _parts(reader: Reader, schema: Schema, place: Place) -> Iterator[tuple[object, Place, Node]]:
    """The parts that are about the same value, each with what holds when its properties count.

    All of `allOf` must hold anyway; where it does not, neither does the whole.
    """
    for keyword in _LISTS:
        listed = schema.get(keyword)
        for index, part in enumerate(listed if isinstance(listed, list) else ()):
            where = (*place, keyword, index)
            yield part, where, TRUE if keyword == "allOf" else reader.read(part, where)
    if "$ref" in schema:
        part, where = reader.document.follow(schema["$ref"], place)
        yield part, where, TRUE
    if "if" in schema:
        condition = reader.read(schema["if"], (*place, "if"))
        yield schema["if"], (*place, "if"), condition
        yield schema.get("then"), (*place, "then"), condition
        yield schema.get("else"), (*place, "else"), reader.arena.negation(condition)
    dependent = schema.get("dependentSchemas")
    for name, part in dependent.items() if isinstance(dependent, Mapping) else ():
        yield part, (*place, "dependentSchemas", name), reader.has(name)
