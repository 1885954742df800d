"""Which values a parameter or a form can carry, and schemas cut down to them.

OpenAPI defines styles for scalars, arrays of scalars and objects of scalars (3.1.1, section 4.8.12.3);
what it marks as "n/a" or leaves undefined is no value of the schema that comes out here. There is one
exception: values nested in a `deepObject` are written as its users do, `a[b][c]` and `a[b][0]`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from agentc_runtime.expressions import Schema

from ..schematypes import TYPES, items_of, properties_of, resolve, type_at, types_of

Kind: TypeAlias = Literal["scalar", "array", "object", "nested"]

SCALARS: Final = frozenset({"string", "number", "integer", "boolean"})
EVERY: Final[frozenset[Kind]] = frozenset({"scalar", "array", "object"})
_COMPOUND: Final[frozenset[Kind]] = frozenset({"array", "object"})
_NESTED: Final[frozenset[Kind]] = frozenset({"object", "nested"})
_SCALAR: Final[frozenset[Kind]] = frozenset({"scalar"})
_NONE: Final[frozenset[Kind]] = frozenset()
_JOINING: Final = frozenset({"allOf", "anyOf", "oneOf", "$ref", "not", "if", "then", "else"})
_CLOSING: Final = frozenset({"additionalProperties", "unevaluatedProperties"})
#: A property that no schema names: what holds for it holds for all that are not named.
_ANY: Final = "\x00"
#: How deep the schemas of a `deepObject` are looked into for null.
_INLINE: Final = 12


class Narrowed(NamedTuple):
    """A schema without what can't be written, and the names of the properties that had to go."""

    schema: Schema
    lost: tuple[str, ...] = ()


def kinds(style: str, explode: bool, place: str) -> frozenset[Kind]:
    """What the style can write there: nothing where the specification's table has "n/a" throughout."""
    if style == "deepObject":
        return _NESTED if explode else _NONE
    if style in ("spaceDelimited", "pipeDelimited"):
        return _NONE if explode else _COMPOUND
    # several cookies for one parameter: the specification's own note says that it does not work
    return _SCALAR if place == "cookie" and explode else EVERY


def narrowed(schema: Schema, definitions: Schema, wanted: frozenset[Kind]) -> Narrowed | None:
    """`schema` without null, nested values and kinds that are not `wanted`; `None` if nothing is left.

    A schema that says nothing about its type is not taken for an object: spread over a query, it could set
    any other parameter.
    """
    root = {**schema, "$defs": definitions}
    types = types_of(schema, root)
    if "nested" in wanted:
        return _nested(schema, root, types)
    allowed = set(types & SCALARS) if "scalar" in wanted else set()
    found = dict(schema)
    lost: tuple[str, ...] = ()
    if "array" in types and "array" in wanted:
        items = types_of(items_of(root), root)
        given = schema.get("items", {})
        if items <= SCALARS:
            allowed.add("array")
        elif items & SCALARS and isinstance(given, dict):
            allowed.add("array")
            found["items"] = {**given, "type": listed(items & SCALARS)}
    if "object" in types and "object" in wanted and (types != TYPES or "scalar" not in wanted):
        flat = _scalar_properties(found, root)
        if flat is not None:
            found, lost = flat
            allowed.add("object")
    if not allowed:
        return None
    if allowed != types:
        found["type"] = listed(allowed)
    return Narrowed(found, lost)


def without_null(schema: Schema, definitions: Schema) -> Schema | None:
    """`schema` for a value that is not null; `None` if it has no other."""
    types = types_of(schema, {**schema, "$defs": definitions})
    if "null" not in types:
        return schema
    rest = types - {"null"}
    return {**schema, "type": listed(rest)} if rest else None


def _nested(schema: Schema, root: Schema, types: frozenset[str]) -> Narrowed | None:
    """A schema of an object or array, whatever is in it, without null. Its scalars stay."""
    if not types & {"array", "object"}:
        return None
    allowed = frozenset({"object"}) if types == TYPES else types - {"null"}
    found = _without_nulls(schema, root, _INLINE)
    return Narrowed(found if allowed == types else {**found, "type": listed(allowed)})


def _without_nulls(schema: Schema, root: Schema, depth: int) -> Schema:
    """The schema without null in its properties and items, as far as these are written out in it.

    What a `$ref` leads to stays: null in there is refused when the request is built.
    """
    found = dict(schema)

    def child(part: object) -> object:
        if part is True or part == {}:
            return {"type": listed(TYPES - {"null"})}
        if not isinstance(part, dict):
            return part
        types = types_of(part, root)
        inner = _without_nulls(part, root, depth - 1) if depth > 0 else part
        keeps = "null" not in types or types == {"null"}
        return inner if keeps else {**inner, "type": listed(types - {"null"})}

    for name in ("properties", "patternProperties"):
        if isinstance(children := schema.get(name), dict):
            found[name] = {key: child(part) for key, part in children.items()}
    for name in ("items", "additionalProperties"):
        if name in schema:
            found[name] = child(schema[name])
    if "object" in types_of(schema, root) and not schema.keys() & (_JOINING | _CLOSING):
        found["additionalProperties"] = child(True)
    for name in ("allOf", "anyOf", "oneOf"):
        if isinstance(parts := schema.get(name), list) and depth > 0:
            found[name] = [
                _without_nulls(part, root, depth - 1) if isinstance(part, dict) else part for part in parts
            ]
    return found


def listed(types: set[str] | frozenset[str]) -> object:
    """Types as `type` says them: one alone, or several in order."""
    named = sorted(types - {"integer"}) if "number" in types else sorted(types)
    return named[0] if len(named) == 1 else named


def _scalar_properties(schema: Schema, root: Schema) -> Narrowed | None:
    """An object's schema with properties that are scalars; `None` if it needs one that isn't."""
    needed = _required(schema, root)
    narrow: dict[str, object] = {}
    lost: list[str] = []
    for name in sorted(properties_of(root)):
        child = type_at(root, [name])
        if child is None:
            continue
        types = types_of(child)
        if types <= SCALARS:
            continue
        if types & SCALARS:
            narrow[name] = listed(types & SCALARS)
        elif name in needed:
            return None
        else:
            lost.append(name)
    rest = type_at(root, [_ANY])
    open_ = rest is not None and not types_of(rest) <= SCALARS
    if not narrow and not lost and not open_:
        return Narrowed(schema)
    scalars = {"type": listed(SCALARS)}
    own = schema.get("properties", {})
    if schema.keys() & _JOINING or not isinstance(own, dict):
        parts = schema.get("allOf")
        combined = [*(parts if isinstance(parts, list) else []), {"additionalProperties": scalars}]
        return Narrowed({**schema, "allOf": combined}, tuple(lost))
    # a property that is only taken away would come back where others are allowed
    gone: dict[str, object] = {} if rest is None else dict.fromkeys(lost, False)
    kept = {name: _typed(value, narrow.get(name)) for name, value in own.items() if name not in lost}
    found: Schema = {**schema, "properties": {**kept, **gone}}
    if open_:
        further = schema.get("additionalProperties", True)
        found["additionalProperties"] = {**(further if isinstance(further, dict) else {}), **scalars}
        if isinstance(patterns := schema.get("patternProperties"), dict):
            found["patternProperties"] = {key: _typed(one, scalars["type"]) for key, one in patterns.items()}
    return Narrowed(found, tuple(lost))


def _typed(schema: object, types: object) -> object:
    if types is None:
        return schema
    return {**(schema if isinstance(schema, dict) else {}), "type": types}


def _required(schema: object, root: Schema, fuel: int = 16) -> set[str]:
    """The names that every object of the schema has."""
    target = resolve(schema, root)
    if not isinstance(target, dict) or fuel == 0:
        return set()
    own = target.get("required")
    names = {name for name in own if isinstance(name, str)} if isinstance(own, list) else set()
    parts = target.get("allOf")
    return names.union(
        *(_required(part, root, fuel - 1) for part in (parts if isinstance(parts, list) else []))
    )
