"""Whether the branches of a choice take every value: proved by trying the values that decide it.

A schema with finitely many values is covered when each of them is. Whole ranges of numbers are covered when
the bounds, the values next to them and those between two of them are, because between two bounds that all
branches name no branch changes its mind. Everything else is not proved, which a `default` mends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor

from agentc_runtime.quoting import shown

from .predicates import match_when
from .program import SchemaData
from .schematypes import resolve, type_at, types_of

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_NUMERIC = frozenset({"type", "title", "description", *_BOUNDS})
#: Up to here a float holds every whole number, and the one half between two of them.
_EXACT = 1e15
_FINITE = {"boolean": (True, False), "null": (None,)}


def always_there(schema: SchemaData, path: Sequence[str]) -> bool:
    """Whether every value of `schema` has something at `path`."""
    current: SchemaData | None = schema
    for step in path:
        shape = resolve(current, schema)
        required = shape.get("required") if isinstance(shape, dict) else None
        if types_of(current, schema) != {"object"} or not isinstance(required, list) or step not in required:
            return False
        current = type_at(current or {}, (step,))
        if current is None:
            return False
    return True


def gap(schema: SchemaData, whens: Sequence[Mapping[str, object]]) -> str | None:
    """A value of `schema` that no branch takes, in words, or `None` when it is proved that there is none."""
    if any(takes_all(schema, when) for when in whens):
        return None
    values = _deciding(schema, whens)
    if values is None:
        return "some values"
    return next((f"`{shown(value)}`" for value in values if not any(takes(w, value) for w in whens)), None)


def takes_all(schema: SchemaData, when: Mapping[str, object]) -> bool:
    """Whether a branch takes every value of `schema`, by their types alone."""
    said = when.keys() - {"title", "description"}
    return not said or (said == {"type"} and types_of(schema) <= types_of(dict(when)))


def takes(when: Mapping[str, object], value: object) -> bool:
    """Whether a branch takes a value. A schema that is not valid takes nothing: another check reports it."""
    from agentc_runtime.violations import compile_predicate

    try:
        return compile_predicate(match_when(dict(when))).is_valid(value)
    except ValueError:
        return False


def _has(schema: SchemaData, value: int | float) -> bool:
    from agentc_runtime.violations import compile_shape

    try:
        return compile_shape(schema).is_valid(value)
    except ValueError:
        return True


def finite(schema: Mapping[str, object]) -> list[object] | None:
    """The values that a schema can have at most, if they are written out in it."""
    if "const" in schema:
        return [schema["const"]]
    if isinstance(values := schema.get("enum"), list):
        return list(values)
    kinds = types_of(dict(schema))
    return [v for kind in sorted(kinds) for v in _FINITE[kind]] if kinds <= _FINITE.keys() else None


def _deciding(schema: SchemaData, whens: Sequence[Mapping[str, object]]) -> list[object] | None:
    shape = resolve(schema, schema)
    if not isinstance(shape, dict):
        return None
    values = finite(shape)
    if values is not None:
        return values
    kinds = types_of(shape)
    if not kinds <= {"integer", "number"} or not all(each.keys() <= _NUMERIC for each in (shape, *whens)):
        return None
    if not all(kinds <= types_of(dict(when)) for when in whens):
        return None
    bounds = sorted({bound for each in (shape, *whens) for bound in _bounds(each)})
    if not all(abs(bound) <= _EXACT for bound in bounds):
        return None
    ends = [bounds[0] - 1, *bounds, bounds[-1] + 1] if bounds else [0]
    if "number" in kinds:
        points = {*ends, *((low + high) / 2 for low, high in pairwise(ends))}
    else:
        points = {whole for bound in ends for whole in (floor(bound), floor(bound) + 1, ceil(bound) - 1)}
    return [value for value in sorted(points) if _has(shape, value)]


def _bounds(schema: Mapping[str, object]) -> list[int | float]:
    found = [schema[name] for name in _BOUNDS if name in schema]
    return [bound for bound in found if isinstance(bound, int | float) and not isinstance(bound, bool)]
