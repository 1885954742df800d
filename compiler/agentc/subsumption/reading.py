"""A JSON Schema as a formula, as jsonschema-rs judges draft 2020-12.

A keyword that is not decided becomes an `Opaque` condition: equal text on both sides is the same condition,
and nothing else is known about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Final, TypeAlias

from agentc_runtime.canonical import canonical

from .arena import Arena
from .budget import GaveUpError
from .formulas import (
    FALSE,
    TRUE,
    AtLeast,
    AtMost,
    Atom,
    HasFormat,
    Matches,
    Members,
    MultipleOf,
    Node,
    Opaque,
    SizeAtLeast,
    SizeAtMost,
)
from .references import Document, Place
from .values import ARRAY, EVERY_KIND, KINDS, NUMBER, OBJECT, STRING, exact

Schema: TypeAlias = Mapping[str, object]
#: Reads one keyword of a schema; the place is that of its value.
Read: TypeAlias = "Callable[[Reader, Schema, object, Place], Node]"

#: Keywords that no value can break, or that are read together with another one.
_SILENT: Final = frozenset(
    {"$defs", "$comment", "title", "description", "default", "examples", "example", "deprecated"}
) | {"readOnly", "writeOnly", "minContains", "maxContains", "then", "else"}
#: Keywords that change what a `$ref` means.
_MOVING: Final = frozenset({"$id", "$dynamicRef", "$recursiveRef"})
#: Keywords whose value says all, as a condition on values of one kind.
_NUMBERS: Final[Mapping[str, Callable[[float], Atom]]] = {
    "minimum": lambda value: AtLeast(exact(value), over=False),
    "exclusiveMinimum": lambda value: AtLeast(exact(value), over=True),
    "maximum": lambda value: AtMost(exact(value), under=False),
    "exclusiveMaximum": lambda value: AtMost(exact(value), under=True),
    "multipleOf": lambda value: MultipleOf(exact(value)),
}
_SIZES: Final[Mapping[str, tuple[int, type[SizeAtLeast | SizeAtMost]]]] = {
    "minLength": (STRING, SizeAtLeast),
    "maxLength": (STRING, SizeAtMost),
    "minItems": (ARRAY, SizeAtLeast),
    "maxItems": (ARRAY, SizeAtMost),
    "minProperties": (OBJECT, SizeAtLeast),
    "maxProperties": (OBJECT, SizeAtMost),
}
_TEXTS: Final[Mapping[str, type[Matches | HasFormat]]] = {"pattern": Matches, "format": HasFormat}
#: What keywords are about that are not always decided.
_ABOUT: Final[Mapping[str, int]] = {
    **dict.fromkeys(_NUMBERS, NUMBER),
    "contains": ARRAY,
    "unevaluatedItems": ARRAY,
    "propertyNames": OBJECT,
    "unevaluatedProperties": OBJECT,
}
#: Beyond 64 bits jsonschema-rs compares some integers with some doubles in its own way.
_EXACT_BELOW: Final = 2**63


class Reader:
    """Reads the schemas of one document. `keywords` says how those that hold schemas are read."""

    def __init__(self, arena: Arena, root: object, keywords: Mapping[str, Read]) -> None:
        self.arena = arena
        self.document = Document(root)
        self._keywords = keywords

    def read(self, schema: object, place: Place = ()) -> Node:
        """The formula of the schema at `place`.

        Raises:
            GaveUpError: the schema is malformed, nests too deep, or refers to what is not there.
        """
        if isinstance(schema, bool):
            return TRUE if schema else FALSE
        with self.document.inside(place):
            return self.arena.all_of(self._conditions(self.mapping(schema, place), place))

    def _conditions(self, schema: Schema, place: Place) -> Iterator[Node]:
        for keyword, value in schema.items():
            if keyword in self._keywords:
                yield self._keywords[keyword](self, schema, value, (*place, keyword))
            elif keyword in _NUMBERS:
                yield self._number(keyword, value, place)
            elif keyword in _SIZES:
                kind, size = _SIZES[keyword]
                yield self.arena.literal(kind, size(self.count(value, (*place, keyword))))
            elif keyword in _TEXTS:
                yield self.arena.literal(STRING, _TEXTS[keyword](self.text(value, (*place, keyword))))
            elif keyword in _MOVING:
                raise GaveUpError(f"`{keyword}` at {self.document.shown(place)} is not decided")
            elif keyword not in _SILENT:
                yield self.opaque(schema, keyword, place)

    def _number(self, keyword: str, value: object, place: Place) -> Node:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.malformed("number", (*place, keyword))
        if isinstance(value, int) and abs(value) >= _EXACT_BELOW:
            return self.opaque({keyword: value}, keyword, place)
        if keyword == "multipleOf" and value <= 0:
            raise self.malformed("number over 0", (*place, keyword))
        return self.arena.literal(NUMBER, _NUMBERS[keyword](value))

    def opaque(self, schema: Schema, keyword: str, place: Place) -> Node:
        """A condition that is not decided. What it means may depend on all that `schema` says."""
        reason = f"`{keyword}` at {self.document.shown(place)} is not decided"
        text = keyword.encode() + canonical(dict(schema)) + self.document.closure(schema)
        about = _ABOUT.get(keyword, EVERY_KIND)
        return self.arena.all_of(
            self.arena.literal(kind, Opaque(text, reason)) for kind in KINDS if about & kind
        )

    def malformed(self, wanted: str, place: Place) -> GaveUpError:
        """What to raise where no `wanted` stands at `place`."""
        return GaveUpError(f"no {wanted} stands at {self.document.shown(place)}")

    def mapping(self, value: object, place: Place) -> Schema:
        """`value` as a mapping, such as a schema.

        Raises:
            GaveUpError: it is none.
        """
        if not isinstance(value, Mapping):
            raise self.malformed("mapping", place)
        return value

    def sequence(self, value: object, place: Place) -> list[object]:
        """`value` as a list. Raises as `mapping`."""
        if not isinstance(value, list):
            raise self.malformed("list", place)
        return value

    def text(self, value: object, place: Place) -> str:
        """`value` as a text. Raises as `mapping`."""
        if not isinstance(value, str):
            raise self.malformed("text", place)
        return value

    def count(self, value: object, place: Place) -> int:
        """`value` as a count. Raises as `mapping`."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != int(value):
            raise self.malformed("count", place)
        return int(value)

    def parts(self, value: object, place: Place) -> list[Node]:
        """The formulas of a list of schemas."""
        return [self.read(part, (*place, index)) for index, part in enumerate(self.sequence(value, place))]

    def members(self, names: Node, each: Node) -> Node:
        """Properties of these names, where there are any, satisfy `each`."""
        names = self.arena.narrowed(names, STRING)
        if each is TRUE or names is FALSE:
            return TRUE
        return self.arena.literal(OBJECT, Members(names, each))

    def has(self, name: str) -> Node:
        """An object has the property; any other value passes."""
        present = self.arena.literal(OBJECT, Members(self.arena.named([name]), FALSE), positive=False)
        return self.arena.any_of([self.arena.kinds(EVERY_KIND & ~OBJECT), present])

    def lacks(self, name: str) -> Node:
        """No object, or one without the property."""
        return self.members(self.arena.named([name]), FALSE)
