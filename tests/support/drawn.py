"""Arguments drawn from the schema of a tool, for whoever wants to send them somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from agentc.mock.patterns import text_of

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord")
TEXTS = {
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
    "uri-reference": "a",
    "iri": "https://www.example.com/",
    "iri-reference": "a",
    "uri-template": "a",
    "uuid": "6f1c2a52-9d5e-4b1a-8a53-0f3f6a1c2b7e",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "a+",
}
DEEPEST = 6
#: How a tool's schema says that a text is base64.
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*"


class Drawer:
    """Draws values for the schemas of one tool; what it draws may still be unfit."""

    def __init__(self, root: dict[str, Any], random: Random) -> None:
        self._root = root
        self._random = random

    def value(self, schema: Any, depth: int = 0) -> Any:
        node = self._flat(schema)
        for keyword in ("const", "default"):
            if keyword in node and (keyword == "const" or self._random.random() < 0.3):
                return node[keyword]
        if node.get("enum"):
            return self._random.choice([one for one in node["enum"] if one is not None] or [None])
        kinds = node.get("type", self._guessed(node))
        kinds = [kinds] if isinstance(kinds, str) else kinds
        kind = self._random.choice([one for one in kinds if one != "null"] or ["null"])
        if kind == "object":
            return self._object(node, depth)
        if kind == "array":
            return self._array(node, depth)
        if kind == "string":
            return self._text(node)
        if kind in ("integer", "number"):
            return self._number(node, whole=kind == "integer")
        return self._random.random() < 0.5 if kind == "boolean" else None

    def _guessed(self, node: Mapping[str, Any]) -> str:
        if node.keys() & {"properties", "required", "additionalProperties"}:
            return "object"
        return "array" if "items" in node else "string"

    def _flat(self, schema: Any, fuel: int = 12) -> dict[str, Any]:
        if not isinstance(schema, dict) or fuel == 0:
            return {}
        node = dict(schema)
        parts = list(node.pop("allOf", []))
        if "$ref" in node:
            parts.append(self._root["$defs"][node.pop("$ref").removeprefix("#/$defs/")])
        for keyword in ("oneOf", "anyOf"):
            if options := node.pop(keyword, []):
                parts.append(self._random.choice(options))
        for part in parts:
            node = self._joined(node, self._flat(part, fuel - 1))
        return node

    def _joined(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        joined = {**other, **one}
        if "properties" in one and "properties" in other:
            names = [*other["properties"], *one["properties"]]
            both = {
                name: {
                    "allOf": [part["properties"][name] for part in (other, one) if name in part["properties"]]
                }
                for name in names
            }
            joined["properties"] = both
        joined["required"] = [*other.get("required", []), *one.get("required", [])]
        if isinstance(one.get("type"), list) and isinstance(other.get("type"), str):
            joined["type"] = other["type"]
        return joined

    def _object(self, node: Mapping[str, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        properties = node.get("properties", {})
        required = set(node.get("required", ()))
        chance = 0.5 / (1 + depth) if len(properties) < 12 else 3 / len(properties)
        for name, schema in properties.items():
            if name in required or (depth < DEEPEST and self._random.random() < chance):
                value = self.value(schema, depth + 1)
                if value is not None or name in required:
                    made[name] = value
        further = node.get("additionalProperties")
        for name in required - made.keys():
            made[name] = self.value(further, depth + 1)
        least = node.get("minProperties", 0)
        if further is not False and depth < DEEPEST and not properties:
            least = max(least, 1)
        for number in range(least - len(made)):
            made[f"key{number}"] = self.value(further, depth + 1)
        return made

    def _array(self, node: Mapping[str, Any], depth: int) -> list[Any]:
        least, most = node.get("minItems", 0), node.get("maxItems", 3)
        count = min(max(least, self._random.randint(1, 2)), max(most, least))
        made: list[Any] = []
        for _ in range(count * 4):
            value = self.value(node.get("items", {"type": "string"}), depth + 1)
            if not node.get("uniqueItems") or value not in made:
                made.append(value)
            if len(made) == count:
                break
        return made

    def _text(self, node: Mapping[str, Any]) -> str:
        if node.get("pattern", "").startswith(_BASE64):
            return "YWJj"
        if isinstance(pattern := node.get("pattern"), str):
            text = text_of(pattern, lambda count: self._random.randrange(max(count, 1)))
            if text is not None:
                return text
        if node.get("format") in TEXTS:
            return TEXTS[node["format"]]
        text = self._random.choice(WORDS)
        return (text + "a" * max(0, node.get("minLength", 0) - len(text)))[: node.get("maxLength", 1000)]

    def _number(self, node: Mapping[str, Any], *, whole: bool) -> int | float:
        low = node.get("minimum", node.get("exclusiveMinimum", 0))
        high = node.get("maximum", node.get("exclusiveMaximum", max(low, 0) + 9))
        low += "exclusiveMinimum" in node and "minimum" not in node
        high -= "exclusiveMaximum" in node and "maximum" not in node
        unit = node.get("multipleOf", 1)
        if "minimum" not in node and "exclusiveMinimum" not in node and high < 0:
            low = high - 9
        number = -(-low // unit) * unit
        room = int(min((high - number) // unit, 9)) if unit else 0
        number += unit * self._random.randint(0, max(room, 0))
        return int(number) if whole else number
