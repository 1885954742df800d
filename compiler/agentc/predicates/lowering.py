"""From what an author writes to what the runtime asks of a value, one function a purpose.

JSON Schema is permissive: `{maximum: 50}` accepts the text "1000000", and an object may hold anything that
is not mentioned. That is right for describing data and wrong for granting leave. So a limit is made
stricter before it is enforced, and a condition that asks for an approval is never made stricter: a value
that slips through the first is an escape, one that slips through the second asks no one.

Strictness turns around under `not`, and breaks the count of `oneOf`. There only patterns are touched.
All functions return new values, accept what `check_schema` accepts, and may be applied twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentc_runtime.bundle import Origin
from agentc_runtime.expressions import Schema

from ..regex import anchored
from ..schematypes import types_of

#: Keyword → the type that it speaks about. On all other types it says nothing.
SPEAKS_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "string"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems"), "array"),
    **dict.fromkeys(("properties", "required", "additionalProperties"), "object"),
    **dict.fromkeys(("minProperties", "maxProperties"), "object"),
}
#: What settles the value of an argument: it is listed, or traced.
_SETTLED: Final = frozenset({"const", "enum", "from"})
_IN_PLACE: Final = ("allOf", "anyOf", "oneOf", "$ref")


@dataclass(frozen=True, slots=True)
class _Way:
    """What is made stricter: objects closed, types inferred, properties required."""

    closed: bool = False
    typed: bool = False
    required: bool = False


_ANCHORED: Final = _Way()


def close_where(limits: Mapping[str, object]) -> Schema:
    """What the arguments of a grant must satisfy: each limited argument present, of its type, and closed.

    The other arguments are not this schema's business: the tool's own schema says what they may be.
    """
    return {"type": "object", "properties": _strict(limits), "required": sorted(limits)}


def close_unless(limits: Mapping[str, object], where: Mapping[str, object]) -> Schema:
    """The arguments of a call that passes unasked: those named, each as strict as a limit, and no others.

    An argument whose limit in `where` already lists its values, or says where they come from, may be given
    as well.
    """
    closed: dict[str, object] = {
        name: {} for name, limit in where.items() if isinstance(limit, dict) and limit.keys() & _SETTLED
    }
    return {"type": "object", "properties": _strict({**closed, **limits}), "additionalProperties": False}


def origins_of(limits: Mapping[str, object]) -> dict[str, tuple[Origin, ...]]:
    """Argument → where its value has to come from, for the limits that say so with `from`."""
    return {
        name: tuple(origins)
        for name, limit in sorted(limits.items())
        if isinstance(limit, dict) and isinstance(origins := limit.get("from"), list)
    }


def _strict(limits: Mapping[str, object]) -> Schema:
    """Each limit as a schema. `from` is none of its keywords: it is judged by what a run has read."""
    way = _Way(closed=True, typed=True, required=True)
    schemas = {
        name: {key: value for key, value in limit.items() if key != "from"}
        if isinstance(limit, dict)
        else limit
        for name, limit in limits.items()
    }
    return {name: _lower(schema, way) for name, schema in schemas.items()}


def open_when(conditions: Mapping[str, object]) -> Schema:
    """When a person is asked: for arguments that satisfy all conditions, or that leave them undecided.

    An absent argument satisfies its condition, and so does a value of another type than the condition
    speaks about, even where it names the type.
    """
    return {"properties": {name: _undecided(condition) for name, condition in conditions.items()}}


def match_when(schema: Mapping[str, object]) -> Schema:
    """When a choice is taken: the value has the type spoken about and the properties named; others may be."""
    return _lower_schema(schema, _Way(typed=True, required=True))


def close_schema(schema: Mapping[str, object]) -> Schema:
    """The schema of an agent's data: no property but those named, unless `additionalProperties` says so."""
    return _lower_schema(schema, _Way(closed=True))


def typed_schema(schema: Mapping[str, object]) -> Schema:
    """The schema of an answer that holds no sentence: each value of its type, no property but those named."""
    return _lower_schema(schema, _Way(closed=True, typed=True))


def _undecided(condition: object) -> object:
    lowered = _lower(condition, _ANCHORED)
    if isinstance(lowered, dict) and lowered.keys() & SPEAKS_OF.keys():
        return {key: value for key, value in lowered.items() if key != "type"}
    return lowered


def _lower(schema: object, way: _Way) -> object:
    return _lower_schema(schema, way) if isinstance(schema, dict) else schema


def _lower_schema(schema: Mapping[str, object], way: _Way, *, whole: bool = True) -> Schema:
    """`whole` means that the schema is all that is said about a value: only then is it closed here.

    Of two parts of an `allOf`, each closed, no object could satisfy both.
    """
    lowered = {key: _keyword(key, value, way) for key, value in schema.items()}
    if way.typed and "type" not in schema and (types := _inferred(schema)):
        lowered["type"] = types[0] if len(types) == 1 else types
    if way.required and "required" not in schema and isinstance(named := schema.get("properties"), dict):
        lowered["required"] = sorted(name for name, part in named.items() if part is not False)
    if way.closed and whole:
        _close(schema, lowered)
    if way.typed and way.closed and "prefixItems" in schema and "items" not in schema:
        lowered["items"] = False
    if isinstance(branches := schema.get("oneOf"), list):
        stricter = [_part(branch, way) for branch in branches]
        if stricter != lowered["oneOf"]:
            parts = lowered.get("allOf")
            others = parts if isinstance(parts, list) else []
            lowered["allOf"] = [
                *(part for part in others if part != {"anyOf": stricter}),
                {"anyOf": stricter},
            ]
    return lowered


def _keyword(key: str, value: object, way: _Way) -> object:
    match key, value:
        case "pattern", str():
            return anchored(value)
        case ("properties", dict()):
            return {name: _lower(part, way) for name, part in value.items()}
        case ("$defs", dict()):
            return {name: _part(part, way) for name, part in value.items()}
        case ("items" | "additionalProperties", _):
            return _lower(value, way)
        case ("prefixItems", list()):
            return [_lower(part, way) for part in value]
        case (("allOf" | "anyOf"), list()):
            return [_part(part, way) for part in value]
        case ("oneOf", list()):  # the count is taken as written; `_lower_schema` adds the stricter branches
            return [_part(part, _ANCHORED) for part in value]
        case ("not", _):
            return _part(value, _ANCHORED)
        case _:
            return value


def _part(schema: object, way: _Way) -> object:
    return _lower_schema(schema, way, whole=False) if isinstance(schema, dict) else schema


def _inferred(schema: Mapping[str, object]) -> list[str]:
    return sorted({SPEAKS_OF[key] for key in schema if key in SPEAKS_OF})


def _close(schema: Mapping[str, object], lowered: dict[str, object]) -> None:
    if "additionalProperties" in schema or "unevaluatedProperties" in schema:
        return
    if any(key in schema for key in _IN_PLACE):
        if "object" in types_of(dict(schema)):
            lowered["unevaluatedProperties"] = False
    elif "const" not in schema and "enum" not in schema:
        said = schema.get("type", _inferred(schema))
        if "object" in (said if isinstance(said, list) else [said]):
            lowered.setdefault("properties", {})
            lowered["additionalProperties"] = False
