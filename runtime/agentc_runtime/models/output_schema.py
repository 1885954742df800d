"""The part of JSON Schema that Anthropic's structured output takes; the rest is told to the model in words.

Whoever asked for the output checks it against the whole schema afterwards, so nothing is lost.
"""

from __future__ import annotations

import json
from typing import Final

from ..expressions import Schema

_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_UNIONS: Final = ("anyOf", "oneOf", "allOf")


def supported(schema: Schema) -> Schema:
    """`schema` with every keyword that the API refuses moved into the description."""
    rest = dict(schema)
    out: Schema = {}
    if isinstance(defs := rest.pop("$defs", None), dict):
        out["$defs"] = {name: supported(part) for name, part in defs.items()}
    if "$ref" in rest:
        return {**out, "$ref": rest["$ref"]}
    kind = rest.pop("type", None)
    literal = [key for key in ("enum", "const") if key in rest]
    out.update((key, rest.pop(key)) for key in literal)
    union = next((key for key in _UNIONS if key in rest), None)
    if union is not None:
        parts = rest.pop(union)
        # `oneOf` is not taken, and `anyOf` allows all that it allows.
        out["anyOf" if union == "oneOf" else union] = [supported(part) for part in _list(parts)]
    elif isinstance(kind, list) and not literal:
        return {**out, "anyOf": [supported({**rest, "type": each}) for each in kind]}
    elif kind is not None and not literal:
        out["type"] = kind
    out.update((key, rest.pop(key)) for key in ("description", "title") if key in rest)
    if not literal:
        _typed(kind, rest, out)
    if rest:
        words = ", ".join(f"{key}: {_word(value)}" for key, value in rest.items())
        out["description"] = "\n\n".join(filter(None, (str(out.get("description", "")), f"{{{words}}}")))
    return out


def _typed(kind: object, rest: Schema, out: Schema) -> None:
    """Move what the API takes for this type from `rest` to `out`."""
    if kind == "object":
        properties = rest.pop("properties", {})
        if isinstance(properties, dict):
            out["properties"] = {name: supported(part) for name, part in properties.items()}
        rest.pop("additionalProperties", None)
        out["additionalProperties"] = False
        if "required" in rest:
            out["required"] = rest.pop("required")
    elif kind == "string" and rest.get("format") in _FORMATS:
        out["format"] = rest.pop("format")
    elif kind == "array":
        if isinstance(items := rest.get("items"), dict):
            del rest["items"]
            out["items"] = supported(items)
        if rest.get("minItems") in {0, 1}:
            out["minItems"] = rest.pop("minItems")


def _list(value: object) -> list[Schema]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
