"""A tool's argument schema and a grant's limits together: what the model is shown, and what can't hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Final

from agentc_runtime.expressions import Schema

from ..schematypes import properties_of, resolve, type_at, types_of
from .lowering import close_where

_TIGHTER: Final[Mapping[str, Callable[[float, float], float]]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
_WORDS: Final = frozenset({"title", "description", "default", "examples", "example", "deprecated"})
_OBJECT: Final = frozenset({"properties", "additionalProperties", "required"})


def merge_limits(tool_schema: Schema, bound: Set[str], where: Schema | None) -> Schema:
    """What the model sees of a tool: its arguments without the bound ones, with the limits put in.

    `where` is what `close_where` made. A limit is merged into its argument where one schema can say both
    (the tighter bound, the common values), and stands beside it under `allOf` where not. The result admits
    no other argument, so a bound one can't come back as an additional property.
    """
    limits = _named(where.get("properties")) if where else {}
    arguments = {
        name: part for name, part in _named(tool_schema.get("properties")).items() if name not in bound
    }
    for name, limit in limits.items():
        if name not in bound:
            arguments[name] = _both(arguments.get(name, {}), limit, tool_schema)
    required = {*_names(tool_schema.get("required")), *(_names(where.get("required")) if where else ())}
    merged = {
        **tool_schema,
        "type": "object",
        "properties": arguments,
        "required": sorted(required - bound),
        "additionalProperties": False,
    }
    if not merged["required"]:
        del merged["required"]
    return merged


def contradiction(tool_property: Schema, limit: Schema) -> str | None:
    """Why no value satisfies both an argument's own schema and an author's limit; `None` if one might.

    `limit` is the schema of one argument as written under `where`.
    """
    closed = _named(close_where({"limit": limit})["properties"])["limit"]
    return _contradiction(tool_property, closed if isinstance(closed, dict) else {}, 8)


def _named(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _both(own: object, limit: object, root: Schema) -> object:
    if limit is True or limit == {}:
        return own
    if own is True or own == {}:
        return limit
    target = resolve(own, root)
    if isinstance(target, dict) and isinstance(limit, dict):
        merged = _merged(target, limit, root)
        if merged is not None:
            return merged
    return {"allOf": [own, limit]}


def _merged(own: Schema, limit: Schema, root: Schema) -> Schema | None:
    """One schema that says both, or `None` when that takes more than one keyword's value."""
    if {"unevaluatedProperties", "patternProperties", "prefixItems"} & {*own, *limit}:
        return None
    merged = dict(own)
    for key in limit.keys() - _OBJECT:
        value, mine = limit[key], own.get(key)
        if key not in own or mine == value:
            merged[key] = value
        elif key in _WORDS:
            continue
        elif key in _TIGHTER and isinstance(mine, int | float) and isinstance(value, int | float):
            merged[key] = _TIGHTER[key](mine, value)
        elif key == "uniqueItems":
            merged[key] = True
        elif (common := _common(key, mine, value)) is not None:
            merged[key] = common
        elif key == "items":
            merged[key] = _both(mine, value, root)
        else:
            return None
    return _objects(merged, own, limit, root) if _OBJECT & limit.keys() else merged


def _common(key: str, mine: object, value: object) -> object:
    """The values or types that both lists admit; `None` if there are none or it is another keyword."""
    if key == "enum" and isinstance(mine, list) and isinstance(value, list):
        return [one for one in mine if any(_same(one, other) for other in value)] or None
    if key == "type":
        first, second = _as_types(mine), _as_types(value)
        types = sorted(
            {name for name in first if name in second or (name == "integer" and "number" in second)}
            | {name for name in second if name == "integer" and "number" in first}
        )
        return types[0] if len(types) == 1 else types or None
    return None


def _as_types(value: object) -> list[str]:
    return _names(value if isinstance(value, list) else [value])


def _same(one: object, other: object) -> bool:
    """Equal as JSON: Python's `True == 1` is not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _objects(merged: Schema, own: Schema, limit: Schema, root: Schema) -> Schema | None:
    """Both say something about properties. Only the plain cases: open, or closed by `false`."""
    mine, theirs = _named(own.get("properties")), _named(limit.get("properties"))
    names = dict.fromkeys([*mine, *theirs])
    closed = False
    for said, schema in ((mine, own), (theirs, limit)):
        more = schema.get("additionalProperties", True)
        if more is False:
            closed = True
            names = dict.fromkeys(name for name in names if name in said)
        elif more is not True:
            return None
    required = {*_names(own.get("required")), *_names(limit.get("required"))}
    if closed and not required <= names.keys():
        return None
    merged["properties"] = {name: _both(mine.get(name, {}), theirs.get(name, {}), root) for name in names}
    if required:
        merged["required"] = sorted(required)
    if closed:
        merged["additionalProperties"] = False
    return merged


def _contradiction(own: Schema, limit: Schema, fuel: int) -> str | None:
    types, wanted = types_of(own), types_of(limit)
    if not types & wanted:
        return f"the argument is {_or(types)}, the limit asks for {_or(wanted)}"
    resolved = resolve(own, own)
    if not isinstance(resolved, dict) or fuel == 0:
        return None
    return (
        _values(own, resolved, limit)
        or _bounds(resolved, limit, types & wanted)
        or _properties(own, limit, types & wanted, fuel)
    )


def _or(types: Set[str]) -> str:
    shown = types - {"integer"} if "number" in types else types
    return " or ".join(f"`{name}`" for name in sorted(shown)) or "nothing"


def _values(own: Schema, resolved: Schema, limit: Schema) -> str | None:
    """One side lists its values: is there one that the other side takes?"""
    for values, other, whose in (
        (_listed(limit), own, "the argument takes none of the limit's values"),
        (_listed(resolved), limit, "the limit takes none of the argument's values"),
    ):
        if values is not None and not any(_accepts(other, value) for value in values):
            shown = ", ".join(f"`{value}`" for value in values[:5])
            return f"{whose}: {shown}{', …' if len(values) > 5 else ''}"
    return None


def _listed(schema: Schema) -> list[object] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _accepts(schema: Schema, value: object) -> bool:
    """Whether a value may satisfy `schema`; a schema that can't be compiled is not judged here."""
    from agentc_runtime.violations import compile_shape, first_violation

    try:
        return first_violation(compile_shape(schema), value) is None
    except ValueError:
        return True


def _bounds(own: Schema, limit: Schema, types: Set[str]) -> str | None:
    if types <= {"number", "integer"}:
        return _numbers(own, limit)
    for kind, low, high in (
        ({"string"}, "minLength", "maxLength"),
        ({"array"}, "minItems", "maxItems"),
        ({"object"}, "minProperties", "maxProperties"),
    ):
        if types <= kind:
            least, most = _bound(own, limit, low, max), _bound(own, limit, high, min)
            if least is not None and most is not None and least > most:
                return f"together they ask for at least {least} and at most {most} ({low}, {high})"
    return None


def _bound(own: Schema, limit: Schema, key: str, tighter: Callable[[list[float]], float]) -> float | None:
    found = [
        value
        for schema in (own, limit)
        if isinstance(value := schema.get(key), int | float) and not isinstance(value, bool)
    ]
    return tighter(found) if found else None


def _numbers(own: Schema, limit: Schema) -> str | None:
    least, over = _bound(own, limit, "minimum", max), _bound(own, limit, "exclusiveMinimum", max)
    most, under = _bound(own, limit, "maximum", min), _bound(own, limit, "exclusiveMaximum", min)
    lows = [
        (value, strict, sign)
        for value, strict, sign in ((least, False, "≥"), (over, True, ">"))
        if value is not None
    ]
    highs = [
        (value, strict, sign)
        for value, strict, sign in ((most, False, "≤"), (under, True, "<"))
        if value is not None
    ]
    for low, low_strict, low_sign in lows:
        for high, high_strict, high_sign in highs:
            if low > high or (low == high and (low_strict or high_strict)):
                return f"together they ask for {low_sign} {low} and {high_sign} {high}"
    return None


def _properties(own: Schema, limit: Schema, types: Set[str], fuel: int) -> str | None:
    if types != {"object"}:
        return None
    for name in _names(limit.get("required")):
        part = type_at(own, (name,))
        if part is None:
            known = ", ".join(f"`{one}`" for one in sorted(properties_of(own))[:5])
            return f"the argument has no property `{name}`" + (f": it has {known}" if known else "")
        wanted = _named(limit.get("properties")).get(name)
        inner = _contradiction(part, wanted, fuel - 1) if isinstance(wanted, dict) else None
        if inner is not None:
            return f"property `{name}`: {inner}"
    return None
