"""Values that fit a schema: what its author wrote as an example first, else small made-up ones.

The same schema and seed give the same value. A value may still be unfit (`not`, patterns with lookahead):
whoever serves it validates it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from ..openapi.problem import ProblemError, follow
from .patterns import text_of

#: Beyond this depth only what is required is made; beyond the second nothing at all.
_SHALLOW: Final = 4
_DEEPEST: Final = 24
#: Items of a list and characters of a text that are made at most.
_MOST: Final = 1_000
#: Schemas that are looked at for one value: cycles and wide lists end here.
_STEPS: Final = 5_000
_FORMATS: Final = {
    "date": "2026-03-01",
    "date-time": "2026-03-01T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT5M",
    "email": "ana@example.com",
    "idn-email": "ana@example.com",
    "hostname": "www.example.com",
    "idn-hostname": "www.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://www.example.com/",
    "uri-reference": "/a",
    "iri": "https://www.example.com/",
    "iri-reference": "/a",
    "uri-template": "/a/{b}",
    "uuid": "6f1c2a52-9d5e-4b1a-8a53-0f3f6a1c2b7e",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "a+",
    "byte": "YQ==",
}
_WORDS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")


class Maker:
    """Makes values for the schemas of one document. `seed` decides wherever a schema leaves a choice."""

    def __init__(self, root: object, seed: str) -> None:
        self._root = root
        self._seed = seed
        self._drawn = 0
        self._left = _STEPS

    def value(self, schema: object, depth: int = 0) -> object:
        """A value for `schema`; `None` where none could be made."""
        node = self._flat(schema, depth)
        if self._left <= 0:
            return None
        for keyword in ("const", "example", "default"):
            if keyword in node:
                return node[keyword]
        for keyword in ("examples", "enum"):
            listed = node.get(keyword)
            if isinstance(listed, list) and listed:
                return listed[0] if keyword == "examples" else listed[self._draw(len(listed))]
        if depth > _DEEPEST:
            return None
        kind = _kind(node)
        if kind == "object":
            return self._object(node, depth)
        if kind == "array":
            return self._array(node, depth)
        if kind == "string":
            return self._text(node)
        if kind in ("integer", "number"):
            return self._number(node, whole=kind == "integer")
        return True if kind == "boolean" else None

    def _draw(self, count: int) -> int:
        self._drawn += 1
        digest = hashlib.sha256(f"{self._seed}\0{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:8]) % max(count, 1)

    def _flat(self, schema: object, depth: int) -> dict[str, object]:
        """The schema without `$ref`, `allOf`, and with one of its alternatives."""
        self._left -= 1
        if self._left <= 0:
            return {}
        try:
            found, _ = follow(self._root, schema, ())
        except ProblemError:
            return {}
        if not isinstance(found, dict):
            return {}
        node: dict[str, object] = dict(found)
        if isinstance(schema, dict) and schema is not found:
            node |= {key: value for key, value in schema.items() if key != "$ref"}
        parts: list[object] = []
        every = node.pop("allOf", None)
        parts += every if isinstance(every, list) else ()
        for keyword in ("oneOf", "anyOf"):
            several = node.pop(keyword, None)
            if isinstance(several, list):
                chosen = [one for one in several if not (isinstance(one, dict) and one.get("type") == "null")]
                parts += chosen[:1]
        for part in parts if depth <= _DEEPEST else ():
            node = _merged(node, self._flat(part, depth + 1))
        return node

    def _object(self, node: Mapping[str, object], depth: int) -> dict[str, object]:
        listed, needed = node.get("properties"), node.get("required")
        properties = listed if isinstance(listed, dict) else {}
        required = needed if isinstance(needed, list) else []
        made: dict[str, object] = {}
        for name, schema in properties.items():
            hidden = isinstance(schema, dict) and schema.get("writeOnly") is True
            if name in required or (depth < _SHALLOW and not hidden):
                value = self.value(schema, depth + 1)
                if value is not None or name in required:
                    made[name] = value
        more = node.get("additionalProperties")
        for name in required:
            if name not in made:
                made[name] = self.value(more, depth + 1) if isinstance(more, dict) else "amber"
        for number in range(_count(node.get("minProperties"), 0) - len(made)):
            made[f"key_{number}"] = self.value(more, depth + 1) if isinstance(more, dict) else "amber"
        return made

    def _array(self, node: Mapping[str, object], depth: int) -> list[object]:
        least = _count(node.get("minItems"), 0)
        wanted = max(least, 0 if depth >= _SHALLOW else min(1, _count(node.get("maxItems"), 1)))
        made: list[object] = []
        for _ in range(wanted if node.get("uniqueItems") is not True else wanted * 8):
            value = self.value(node.get("items", {"type": "string"}), depth + 1)
            if node.get("uniqueItems") is not True or value not in made:
                made.append(value)
            if len(made) == wanted:
                break
        return made

    def _text(self, node: Mapping[str, object]) -> str:
        pattern, form = node.get("pattern"), node.get("format")
        if isinstance(pattern, str):
            text = text_of(pattern, self._draw)
            if text is not None:
                return text
        if isinstance(form, str) and form in _FORMATS:
            return _FORMATS[form]
        text = _WORDS[self._draw(len(_WORDS))]
        least = _count(node.get("minLength"), 0)
        return (text + "a" * max(0, least - len(text)))[: _count(node.get("maxLength"), _MOST)]

    def _number(self, node: Mapping[str, object], *, whole: bool) -> int | float:
        low, high = _bound(node, "minimum"), _bound(node, "maximum")
        step = node.get("multipleOf")
        unit = step if isinstance(step, int | float) and step > 0 else 1
        start = low[0] if low is not None else min(0, high[0]) if high is not None else 0
        number = -(-start // unit) * unit
        number += unit if low is not None and low[1] and number == low[0] else 0
        last = high[0] if high is not None else number + 9 * unit
        room = int(min((last - number) // unit, 9))
        if high is not None and high[1] and number + room * unit >= last:
            room -= 1
        if room < 0 and not whole:
            return (start + last) / 2
        number += unit * self._draw(room + 1) if room > 0 else 0
        return int(number) if whole else number


def _merged(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    merged = {**other, **one}
    for keyword in ("properties", "required"):
        first, second = other.get(keyword), one.get(keyword)
        if isinstance(first, dict) and isinstance(second, dict):
            merged[keyword] = {**first, **second}
        elif isinstance(first, list) and isinstance(second, list):
            merged[keyword] = [*first, *second]
    return merged


def _kind(node: Mapping[str, object]) -> str:
    named = node.get("type")
    kinds = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    for kind in kinds:
        if kind != "null" and isinstance(kind, str):
            return kind
    if kinds:
        return "null"
    if any(key in node for key in ("properties", "required", "additionalProperties")):
        return "object"
    return "array" if "items" in node else "string"


def _bound(node: Mapping[str, object], name: str) -> tuple[int | float, bool] | None:
    """A bound, and whether it is outside itself, as OpenAPI 3.0 or as 3.1 writes it."""
    exclusive, plain = node.get("exclusive" + name.capitalize()), node.get(name)
    if isinstance(exclusive, int | float) and not isinstance(exclusive, bool):
        return exclusive, True
    if isinstance(plain, int | float) and not isinstance(plain, bool):
        return plain, exclusive is True
    return None


def _count(value: object, default: int) -> int:
    return min(int(value), _MOST) if isinstance(value, int | float) and value >= 0 else default
