"""Tools in the form that OpenAI's strict mode takes, and the arguments that come back as they were meant.

Strict mode holds a model to the schema while it writes. It wants closed objects, every property required, and
a part of JSON Schema: an optional property becomes one that may be null, and null comes back as nothing. What
the mode can't hold stays in words; the broker checks all of it against the tool's own schema in either case.
Source: OpenAI's guide to structured outputs, "Supported schemas".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from ..expressions import Schema
from ..strictjson import StrictJsonError, parse
from .types import ModelResponse, ToolDefinition

MAX_PROPERTIES: Final = 5_000
MAX_DEPTH: Final = 10
MAX_VALUES: Final = 1_000
#: Characters of the names of properties and definitions and of the values of `enum` and `const`, together.
MAX_TEXT: Final = 120_000

#: Keywords that hold in strict mode, but for those that stand for schemas.
HELD: Final = frozenset(
    {"type", "enum", "const", "title", "description", "required", "minItems", "maxItems", "pattern"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"}
)
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
#: Keywords that are told to the model in words.
_TOLD: Final = frozenset(
    {
        "default",
        "deprecated",
        "uniqueItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
        "format",
    }
)


class _NotStrictError(Exception):
    """The schema says something that strict mode has no form for."""


def strict(schema: Schema) -> Schema | None:
    """`schema` as strict mode takes it, or `None` when it can't: an open object, `allOf`, a property that may
    both be null and be left out, or more than the mode's limits."""
    form = _Form(schema)
    try:
        found = form.closed(schema, 1)
        definitions = schema.get("$defs")
        if isinstance(definitions, dict) and definitions:
            found["$defs"] = {name: form.schema(one, 1) for name, one in definitions.items()}
            form.count_text(definitions)
    except _NotStrictError:
        return None
    return found


def restored(response: ModelResponse, tools: Sequence[ToolDefinition]) -> ModelResponse:
    """The response with the arguments of strict calls as their tools take them."""
    schemas = {tool.name: tool.parameters for tool in tools if strict(tool.parameters) is not None}
    calls = tuple(
        msgspec.structs.replace(call, arguments=_without_nulls(call.arguments, schemas[call.name]))
        if call.name in schemas
        else call
        for call in response.message.calls
    )
    if calls == response.message.calls:
        return response
    return msgspec.structs.replace(response, message=msgspec.structs.replace(response.message, calls=calls))


class _Form:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._properties = 0
        self._values = 0
        self._text = 0

    def schema(self, node: object, depth: int) -> Schema:
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            raise _NotStrictError
        if isinstance(reference := node.get("$ref"), str):
            if not node.keys() <= {"$ref", "description", "default", "deprecated"}:
                raise _NotStrictError
            return {"$ref": reference}
        if node.get("type") == "object":
            return self.closed(node, depth)
        parts = [name for name in ("anyOf", "oneOf") if name in node]
        if not parts and not node.keys() & {"type", "enum", "const"}:
            raise _NotStrictError
        found = self._plain(node, {"items", *parts})
        if "items" in node:
            found["items"] = self.schema(node["items"], depth + 1)
        elif "array" in _types(node):
            raise _NotStrictError
        if "object" in _types(node) or len(parts) > 1:
            raise _NotStrictError
        for name in parts:
            # of `oneOf` it is enough that one fits: that no other does is checked afterwards
            found["anyOf"] = [self.schema(part, depth) for part in _listed(node, name)]
        return found

    def closed(self, node: Schema, depth: int) -> Schema:
        """A closed object with every property required."""
        properties = _properties(node)
        if node.get("type") != "object" or node.get("additionalProperties") is not False:
            raise _NotStrictError
        found = self._plain(node, {"properties", "additionalProperties", "$defs"})
        required = _listed(node, "required")
        self._properties += len(properties)
        self.count_text(properties)
        if self._properties > MAX_PROPERTIES or not set(required) <= properties.keys():
            raise _NotStrictError
        found["properties"] = {
            name: self.schema(part, depth + 1)
            if name in required
            else self._optional(part, self.schema(part, depth + 1))
            for name, part in properties.items()
        }
        return {**found, "required": list(properties), "additionalProperties": False}

    def count_text(self, texts: Iterable[object]) -> None:
        """Count names or values against the mode's limit."""
        self._text += sum(len(one) for one in texts if isinstance(one, str))
        if self._text > MAX_TEXT:
            raise _NotStrictError

    def _optional(self, node: object, found: Schema) -> Schema:
        if _may_be_null(node, self._root):
            raise _NotStrictError
        kind = found.get("type")
        if isinstance(kind, str) and not found.keys() & {"enum", "const"}:
            return {**found, "type": [kind, "null"]}
        return {"anyOf": [found, {"type": "null"}]}

    def _plain(self, node: Schema, schemas: set[str]) -> Schema:
        """The keywords that stand for no schemas, and in words those that strict mode does not hold."""
        found = {name: value for name, value in node.items() if name in HELD}
        told = {name: value for name, value in node.items() if name in _TOLD}
        if "format" in found and found["format"] in _FORMATS:
            del told["format"]
        else:
            found.pop("format", None)
        if node.keys() - found.keys() - told.keys() - schemas:
            raise _NotStrictError
        values = [*_listed(node, "enum"), *([node["const"]] if "const" in node else [])]
        self._values += len(values)
        self.count_text(values)
        if self._values > MAX_VALUES:
            raise _NotStrictError
        if told:
            words = ", ".join(f"{name}: {_json(value)}" for name, value in told.items())
            found["description"] = f"{node.get('description', '')} ({words})".strip()
        return found


def _listed(node: Schema, name: str) -> list[object]:
    value = node.get(name)
    return value if isinstance(value, list) else []


def _properties(node: Schema) -> dict[str, object]:
    value = node.get("properties")
    return value if isinstance(value, dict) else {}


def _types(node: Schema) -> set[str]:
    said = node.get("type")
    return set(said) if isinstance(said, list) else {said} if isinstance(said, str) else set()


def _flat(node: object, root: Schema, fuel: int = 64) -> Iterator[Schema]:
    """The schema without references, or each of its alternatives."""
    if not isinstance(node, dict) or fuel == 0:
        return
    if isinstance(reference := node.get("$ref"), str):
        definitions = root.get("$defs")
        name = reference.removeprefix("#/$defs/")
        yield from _flat(definitions.get(name) if isinstance(definitions, dict) else None, root, fuel - 1)
        return
    parts = [part for name in ("anyOf", "oneOf") for part in _listed(node, name)]
    for part in parts:
        yield from _flat(part, root, fuel - 1)
    if not parts:
        yield node


def _may_be_null(node: object, root: Schema) -> bool:
    for one in _flat(node, root):
        values = [one["const"]] if "const" in one else _listed(one, "enum")
        if None in values if values else "null" in _types(one):
            return True
    return False


def _without_nulls(text: str, schema: Schema) -> str:
    """The arguments without the nulls that stand for nothing; unchanged if they can't be read."""
    try:
        value = parse(text)
    except StrictJsonError:
        return text  # refused by the broker, which says why
    return _json(_dropped(value, [schema], schema))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _dropped(value: object, schemas: Sequence[object], root: Schema) -> object:
    known = [one for schema in schemas for one in _flat(schema, root)]
    if isinstance(value, list):
        items = [one["items"] for one in known if "items" in one]
        return [_dropped(item, items, root) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, object] = {}
    for name, part in value.items():
        having = [(one, properties[name]) for one in known if name in (properties := _properties(one))]
        if part is None and having and not any(name in _listed(one, "required") for one, _ in having):
            continue
        found[name] = _dropped(part, [schema for _, schema in having], root)
    return found
