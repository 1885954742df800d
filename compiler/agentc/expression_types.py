"""The types of what `${…}` expressions give, as schemas that stand alone: without references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentc_runtime.expressions import Array, Const, Expr, Object, Ref

from .coverage import always_there
from .program import SchemaData
from .schematypes import items_of, resolve, type_at

#: How deep references are put in, and how many schemas: what lies beyond is any value.
MAX_DEPTH: Final = 16
MAX_SCHEMAS: Final = 2000
_HOLDS_ONE: Final = ("items", "additionalProperties", "not")
_HOLDS_LIST: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_HOLDS_MAP: Final = ("properties",)
#: What a value has to satisfy when it is handed on. Other keywords were checked when it came in.
_KEPT: Final = frozenset(
    {*_HOLDS_ONE, *_HOLDS_LIST, *_HOLDS_MAP, "type", "required", "enum", "const"}
    | {"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"}
    | {"exclusiveMinimum", "exclusiveMaximum", "pattern", "format"}
)


def value_type(expr: Expr, environment: Mapping[str, SchemaData]) -> SchemaData:
    """The schema of what `expr` gives; `{}` for what is not known."""
    match expr:
        case Const(value=value):
            return {"const": value}
        case Ref(path=(root, *steps)):
            schema = environment.get(root)
            return {} if schema is None else type_at(schema, steps) or {}
        case Object(fields=fields):
            properties = {name: inlined(value_type(field, environment)) for name, field in fields.items()}
            return {
                "type": "object",
                "properties": properties,
                "required": [name for name, field in sorted(fields.items()) if given(field, environment)],
                "additionalProperties": False,
            }
        case Array(items=items):
            return {
                "type": "array",
                # an item whose value is absent is null
                "prefixItems": [
                    one if given(item, environment) else {"anyOf": [one, {"type": "null"}]}
                    for item in items
                    for one in [inlined(value_type(item, environment))]
                ],
                "items": False,
                "minItems": len(items),
            }
    return {}


def given(expr: Expr, environment: Mapping[str, SchemaData]) -> bool:
    """Whether `expr` gives something whenever the states that it reads have run."""
    if not isinstance(expr, Ref):
        return True
    root, *steps = expr.path
    schema: SchemaData | None = environment.get(root)
    if root == "states":
        schema, steps = type_at(schema or {}, steps[:2]), steps[2:]
    return schema is not None and always_there(schema, steps)


def item_type(expr: Expr, environment: Mapping[str, SchemaData]) -> SchemaData:
    """The schema of the items of the list that `expr` gives."""
    return inlined(items_of(value_type(expr, environment)))


def inlined(schema: SchemaData, *, answer: bool = False) -> SchemaData:
    """The schema with what it refers to put in its place, so that it can stand anywhere in another one.

    It never says more than `schema` does. A schema that holds itself ends in `{}`. Formats and patterns of an
    `answer` are left out: they are those of the service, and not checked as strictly as ours.
    """
    unsaid = {"not", "format", "pattern"} if answer else {"not"}
    left = MAX_SCHEMAS

    def one(part: object, depth: int) -> object:
        nonlocal left
        left -= 1
        found = resolve(part, schema)
        if not isinstance(found, dict):
            return found if isinstance(found, bool) else {}
        if depth > MAX_DEPTH or left < 0:
            return {}
        kept: SchemaData = {}
        for key, value in found.items():
            if key in unsaid or key not in _KEPT:
                continue
            if key in _HOLDS_ONE:
                kept[key] = one(value, depth + 1)
            elif key in _HOLDS_LIST:
                kept[key] = [one(item, depth + 1) for item in value] if isinstance(value, list) else []
            elif key in _HOLDS_MAP and isinstance(value, dict):
                kept[key] = {name: one(item, depth + 1) for name, item in value.items()}
            else:
                kept[key] = value
        if "patternProperties" in found and kept.get("additionalProperties") is False:
            del kept["additionalProperties"]
        return kept

    found = one(schema, 0)
    return found if isinstance(found, dict) else {}
