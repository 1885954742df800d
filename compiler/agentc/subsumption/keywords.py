"""The keywords that hold schemas, values or names, one function each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .apart import apart
from .evaluated import unevaluated
from .formulas import FALSE, TRUE, Items, Matches, MultipleOf, Node, Unique, has_opaque
from .reading import Read, Reader, Schema
from .references import Place
from .values import ARRAY, BOOLEAN, EVERY_KIND, NULL, NUMBER, OBJECT, STRING

_TYPES: Final[Mapping[str, int]] = {
    "null": NULL,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "integer": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}
#: Of more branches that may overlap, "exactly one" is not decided: each is compared with each.
_MOST_OVERLAPPING: Final = 150


def _type(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    names = value if isinstance(value, list) else [value]
    mask = 0
    for name in names:
        if not isinstance(name, str) or name not in _TYPES:
            raise reader.malformed("type", place)
        mask |= _TYPES[name]
    found = reader.arena.kinds(mask)
    if "integer" in names and "number" not in names:
        return reader.arena.all_of([found, reader.arena.literal(NUMBER, MultipleOf(1))])
    return found


def _enum(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.one_of(reader.sequence(value, place))


def _const(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.one_of([value])


def _unique(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    if not isinstance(value, bool):
        raise reader.malformed("true or false", place)
    return reader.arena.literal(ARRAY, Unique()) if value else TRUE


def _items(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    first = len(reader.sequence(schema.get("prefixItems", []), place))
    return _each(reader, Items(first, None, reader.read(value, place)))


def _prefix(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    parts = reader.parts(value, place)
    return reader.arena.all_of(_each(reader, Items(at, at + 1, part)) for at, part in enumerate(parts))


def _each(reader: Reader, items: Items) -> Node:
    return TRUE if items.each is TRUE else reader.arena.literal(ARRAY, items)


def _contains(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    if least == 0 and most is None:
        return TRUE
    if least != 1 or most is not None:
        return reader.opaque(schema, "contains", place[:-1])
    arena = reader.arena
    none = Items(0, None, arena.negation(reader.read(value, place)))
    some = arena.literal(ARRAY, none, positive=False)
    return arena.any_of([arena.kinds(EVERY_KIND & ~ARRAY), some])


def _properties(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(
        reader.members(reader.arena.named([name]), reader.read(part, (*place, name)))
        for name, part in reader.mapping(value, place).items()
    )


def _patterns(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(
        reader.members(reader.arena.literal(STRING, Matches(pattern)), reader.read(part, (*place, pattern)))
        for pattern, part in reader.mapping(value, place).items()
    )


def _additional(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    arena = reader.arena
    names = list(reader.mapping(schema.get("properties", {}), place))
    said = [arena.named(names)] if names else []
    for pattern in reader.mapping(schema.get("patternProperties", {}), place):
        said.append(arena.literal(STRING, Matches(pattern)))
    return reader.members(arena.negation(arena.any_of(said)), reader.read(value, place))


def _names(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    others = reader.arena.narrowed(reader.arena.negation(reader.read(value, place)), STRING)
    if has_opaque(others):
        return reader.opaque({"propertyNames": value}, "propertyNames", place[:-1])
    return reader.members(others, FALSE)


def _required(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(reader.has(reader.text(name, place)) for name in reader.sequence(value, place))


def _dependent_required(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(
        reader.arena.any_of([reader.lacks(name), _required(reader, schema, others, place)])
        for name, others in reader.mapping(value, place).items()
    )


def _dependent_schemas(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(
        reader.arena.any_of([reader.lacks(name), reader.read(part, (*place, name))])
        for name, part in reader.mapping(value, place).items()
    )


def _all(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(reader.parts(value, place))


def _any(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.any_of(reader.parts(value, place))


def _one(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    arena, parts = reader.arena, reader.parts(value, place)
    if apart(arena, parts):
        return arena.any_of(parts)
    if len(parts) > _MOST_OVERLAPPING:
        return reader.opaque({"oneOf": value}, "oneOf", place[:-1])
    others = [arena.negation(part) for part in parts]
    return arena.any_of(
        arena.all_of([part, *others[:index], *others[index + 1 :]]) for index, part in enumerate(parts)
    )


def _not(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.negation(reader.read(value, place))


def _if(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    arena, condition = reader.arena, reader.read(value, place)
    then = reader.read(schema.get("then", True), (*place[:-1], "then"))
    otherwise = reader.read(schema.get("else", True), (*place[:-1], "else"))
    return arena.all_of(
        [arena.any_of([arena.negation(condition), then]), arena.any_of([condition, otherwise])]
    )


def _reference(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    target, where = reader.document.follow(value, place)
    return reader.arena.link(reader.document.identity(value, place), lambda: reader.read(target, where))


def _unevaluated(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return unevaluated(reader, schema, reader.read(value, place), place[:-1])


KEYWORDS: Final[Mapping[str, Read]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "uniqueItems": _unique,
    "items": _items,
    "prefixItems": _prefix,
    "contains": _contains,
    "properties": _properties,
    "patternProperties": _patterns,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
    "$ref": _reference,
    "unevaluatedProperties": _unevaluated,
}
