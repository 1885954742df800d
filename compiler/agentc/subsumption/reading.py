"""A JSON Schema as a formula, keyword by keyword, as jsonschema-rs judges draft 2020-12.

A keyword that is not decided becomes an `Opaque` condition: equal text on both sides is the same condition,
and nothing else is known about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from agentc_runtime.canonical import canonical

from .apart import apart
from .budget import GaveUpError
from .formulas import (
    FALSE,
    TRUE,
    Arena,
    AtLeast,
    AtMost,
    Atom,
    HasFormat,
    Items,
    Matches,
    Members,
    MultipleOf,
    Node,
    Opaque,
    SizeAtLeast,
    SizeAtMost,
    Unique,
)
from .references import Document, Place
from .values import ARRAY, BOOLEAN, EVERY_KIND, NULL, NUMBER, OBJECT, STRING, exact

Schema: TypeAlias = Mapping[str, object]

#: Keywords that no value can break.
_ANNOTATIONS: Final = frozenset({"$defs", "$comment", "title", "description", "default", "examples"}) | {
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
}
#: Read together with another keyword.
_BESIDE: Final = frozenset({"minContains", "maxContains", "then", "else"})
_TYPES: Final[Mapping[str, int]] = {
    "null": NULL,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "integer": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}
#: Keywords whose value says all, as a condition on values of one kind.
_ATOMS: Final[Mapping[str, tuple[int, Callable[..., Atom]]]] = {
    "minimum": (NUMBER, lambda value: AtLeast(exact(value), over=False)),
    "exclusiveMinimum": (NUMBER, lambda value: AtLeast(exact(value), over=True)),
    "maximum": (NUMBER, lambda value: AtMost(exact(value), under=False)),
    "exclusiveMaximum": (NUMBER, lambda value: AtMost(exact(value), under=True)),
    "multipleOf": (NUMBER, lambda value: MultipleOf(exact(value))),
    "minLength": (STRING, SizeAtLeast),
    "maxLength": (STRING, SizeAtMost),
    "minItems": (ARRAY, SizeAtLeast),
    "maxItems": (ARRAY, SizeAtMost),
    "minProperties": (OBJECT, SizeAtLeast),
    "maxProperties": (OBJECT, SizeAtMost),
    "pattern": (STRING, Matches),
    "format": (STRING, HasFormat),
}
#: Keywords that are not always decided, and what they are about.
_ABOUT: Final[Mapping[str, int]] = {
    "contains": ARRAY,
    "unevaluatedItems": ARRAY,
    "unevaluatedProperties": OBJECT,
}
#: Beyond 64 bits jsonschema-rs compares some integers with some doubles in its own way.
_EXACT_BELOW: Final = 2**63


class Reader:
    """Reads the schemas of one document."""

    def __init__(self, arena: Arena, root: object) -> None:
        self.arena = arena
        self.document = Document(root)

    def read(self, schema: object, place: Place = ()) -> Node:
        """The formula of the schema at `place`.

        Raises:
            GaveUpError: the schema is malformed, nests too deep, or refers to what is not there.
        """
        if isinstance(schema, bool):
            return TRUE if schema else FALSE
        if not isinstance(schema, Mapping):
            raise GaveUpError(f"no schema stands at {self.document.shown(place)}")
        self.document.enter(place)
        return self.arena.all_of(self._conditions(schema, place))

    def _conditions(self, schema: Schema, place: Place) -> Iterator[Node]:
        for keyword, value in schema.items():
            if keyword in _ANNOTATIONS or keyword in _BESIDE:
                continue
            if keyword in _ATOMS:
                yield self._atom(schema, keyword, value, place)
            elif keyword in _READERS:
                yield _READERS[keyword](self, schema, value, (*place, keyword))
            else:
                yield self.opaque(schema, keyword, place)

    def opaque(self, schema: Schema, keyword: str, place: Place) -> Node:
        """A condition that is not decided. What it means may depend on all that stands beside it."""
        reason = f"`{keyword}` at {self.document.shown(place)} is not decided"
        text = canonical({keyword: schema[keyword]} if keyword in _ATOMS else dict(schema))
        text = keyword.encode() + b" " + text + self.document.closure(schema)
        about = _ATOMS[keyword][0] if keyword in _ATOMS else _ABOUT.get(keyword, EVERY_KIND)
        kinds = [kind for kind in (NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT) if about & kind]
        return self.arena.all_of(self.arena.literal(kind, Opaque(text, reason)) for kind in kinds)

    def _atom(self, schema: Schema, keyword: str, value: object, place: Place) -> Node:
        kind, make = _ATOMS[keyword]
        if kind == NUMBER and isinstance(value, int) and abs(value) >= _EXACT_BELOW:
            return self.opaque(schema, keyword, place)
        if kind != NUMBER and isinstance(value, float):
            value = int(value)
        return self.arena.literal(kind, make(value))

    def parts(self, value: object, place: Place) -> list[Node]:
        """The formulas of a list of schemas."""
        listed = value if isinstance(value, list) else []
        return [self.read(part, (*place, index)) for index, part in enumerate(listed)]

    def members(self, names: Node, each: Node) -> Node:
        """Properties of these names, where there are any, satisfy `each`."""
        names = self.arena.narrowed(names, STRING)
        if each is TRUE or names is FALSE:
            return TRUE
        return self.arena.literal(OBJECT, Members(names, each))

    def has(self, name: str) -> Node:
        """An object has the property; any other value passes."""
        absent = Members(self.arena.named([name]), FALSE)
        present = self.arena.literal(OBJECT, absent, positive=False)
        return self.arena.any_of([self.arena.kinds(EVERY_KIND & ~OBJECT), present])

    def lacks(self, name: str) -> Node:
        """No object, or one without the property."""
        return self.members(self.arena.named([name]), FALSE)

    def declared(self, schema: Schema) -> tuple[list[str], Node]:
        """The names under `properties`, and all names that it or `patternProperties` speak of."""
        own, patterns = schema.get("properties"), schema.get("patternProperties")
        names = list(own) if isinstance(own, Mapping) else []
        said = [self.arena.named(names)] if names else []
        for pattern in patterns if isinstance(patterns, Mapping) else ():
            said.append(self.arena.literal(STRING, Matches(pattern)))
        return names, self.arena.any_of(said)


def _type(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    names = value if isinstance(value, list) else [value]
    mask = 0
    for name in names:
        if not isinstance(name, str) or name not in _TYPES:
            raise GaveUpError(f"no type stands at {reader.document.shown(place)}")
        mask |= _TYPES[name]
    found = reader.arena.kinds(mask)
    if "integer" in names and "number" not in names:
        whole = reader.arena.literal(NUMBER, MultipleOf(1))
        return reader.arena.all_of([found, whole])
    return found


def _enum(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.one_of(value if isinstance(value, list) else [])


def _const(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.one_of([value])


def _unique(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.literal(ARRAY, Unique()) if value is True else TRUE


def _items(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    prefix = schema.get("prefixItems")
    first = len(prefix) if isinstance(prefix, list) else 0
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
    named = value if isinstance(value, Mapping) else {}
    return reader.arena.all_of(
        reader.members(reader.arena.named([name]), reader.read(part, (*place, name)))
        for name, part in named.items()
    )


def _patterns(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    named = value if isinstance(value, Mapping) else {}
    return reader.arena.all_of(
        reader.members(reader.arena.literal(STRING, Matches(pattern)), reader.read(part, (*place, pattern)))
        for pattern, part in named.items()
    )


def _additional(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    _, said = reader.declared(schema)
    return reader.members(reader.arena.negation(said), reader.read(value, place))


def _names(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    allowed = reader.read(value, place)
    return reader.members(reader.arena.negation(allowed), FALSE)


def _required(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(reader.has(name) for name in (value if isinstance(value, list) else ()))


def _dependent_required(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    named = value if isinstance(value, Mapping) else {}
    return reader.arena.all_of(
        reader.arena.any_of([reader.lacks(name), _required(reader, schema, others, place)])
        for name, others in named.items()
    )


def _dependent_schemas(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    named = value if isinstance(value, Mapping) else {}
    return reader.arena.all_of(
        reader.arena.any_of([reader.lacks(name), reader.read(part, (*place, name))])
        for name, part in named.items()
    )


def _all(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.all_of(reader.parts(value, place))


def _any(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    return reader.arena.any_of(reader.parts(value, place))


def _one(reader: Reader, schema: Schema, value: object, place: Place) -> Node:
    arena, parts = reader.arena, reader.parts(value, place)
    if apart(arena, parts):
        return arena.any_of(parts)
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
    from .evaluated import unevaluated

    return unevaluated(reader, schema, reader.read(value, place), place[:-1])


_READERS: Final[Mapping[str, Callable[[Reader, Schema, object, Place], Node]]] = {
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
