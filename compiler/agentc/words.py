"""Limits in words that a reviewer reads: `amount is at most 50`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
}

_KINDS = {
    "integer": "a whole number",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "boolean": "true or false",
}


def limits_in_words(schema: Mapping[str, object]) -> list[str]:
    """One sentence an argument, from a grant's `where` or an approval's `when`."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return []
    return [f"{name} is {phrase(limit)}" for name, limit in sorted(properties.items())]


def phrase(schema: object) -> str:
    """What a schema asks of a value."""
    if schema is True or schema == {}:
        return "anything"
    if schema is False:
        return "nothing"
    if not isinstance(schema, dict):
        return json.dumps(schema)
    parts = list(_parts(schema))
    kind = schema.get("type")
    if isinstance(kind, str) and not {"const", "enum"} & schema.keys():
        # `at most 50` says that it is a number; that it is a whole one has to be said.
        if not parts or kind == "integer":
            parts.insert(0, _KINDS.get(kind, f"a {kind}"))
    elif isinstance(kind, list):
        parts.insert(0, " or ".join(_KINDS.get(str(item), f"a {item}") for item in kind))
    return " and ".join(parts) if parts else "anything"


def _parts(schema: Mapping[str, object]) -> Iterator[str]:
    if "const" in schema:
        yield f"exactly {_literal(schema['const'])}"
    values = schema.get("enum")
    if isinstance(values, list):
        yield _one_of(values)
    for keyword, words in _BOUNDS.items():
        if keyword in schema:
            yield words.format(_literal(schema[keyword]))
    if "pattern" in schema:
        yield f"matching {schema['pattern']}"
    if "format" in schema:
        yield f"in {schema['format']} format"
    if "items" in schema:
        yield f"each item {phrase(schema['items'])}"
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties:
        parts = (f"{name} {phrase(item)}" for name, item in sorted(properties.items()))
        yield "an object with " + ", ".join(parts)
    for keyword, joint in (("anyOf", " or "), ("oneOf", " or else "), ("allOf", " and ")):
        options = schema.get(keyword)
        if isinstance(options, list):
            yield "(" + joint.join(phrase(option) for option in options) + ")"
    if "not" in schema:
        yield f"not {phrase(schema['not'])}"


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _one_of(values: list[object]) -> str:
    if len(values) == 1:
        return f"exactly {_literal(values[0])}"
    shown = ", ".join(_literal(value) for value in values[:6])
    more = f" and {len(values) - 6} more" if len(values) > 6 else ""
    return f"one of {shown}{more}"


def duration_in_words(milliseconds: int) -> str:
    """`86400000` is `24h`: the largest unit that says it exactly."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds >= 2 * length and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
        if milliseconds == length:
            return f"1{unit}"
    return f"{milliseconds}ms"
