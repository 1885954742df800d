"""The keywords of a schema that stand alone: each with what its value has to be, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from agentc_runtime.violations import compile_shape

TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
#: The formats that the runtime's validator asserts; every other one is left out.
FORMATS: Final = frozenset(
    {
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uri-template",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    }
)
#: What is kept of a description, in characters.
DESCRIPTION_LIMIT: Final = 500


def _number(value: object) -> object:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _positive(value: object) -> object:
    number = _number(value)
    return number if isinstance(number, int | float) and number > 0 else None


def _count(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _flag(value: object) -> object:
    return value if isinstance(value, bool) else None


def _values(value: object) -> object:
    return value if isinstance(value, list) and value else None


def _names(value: object) -> object:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return None
    return list(dict.fromkeys(value))


def _dependent(value: object) -> object:
    if not isinstance(value, dict):
        return None
    checked = {name: _names(needs) for name, needs in value.items()}
    return None if None in checked.values() else checked


#: Keyword → its value if it is what JSON Schema says, else `None`. Bounds and `type` are handled apart.
SIMPLE: Final[Mapping[str, Callable[[object], object]]] = {
    "minimum": _number,
    "maximum": _number,
    "multipleOf": _positive,
    "minLength": _count,
    "maxLength": _count,
    "minItems": _count,
    "maxItems": _count,
    "minProperties": _count,
    "maxProperties": _count,
    "minContains": _count,
    "maxContains": _count,
    "uniqueItems": _flag,
    "enum": _values,
    "required": _names,
    "dependentRequired": _dependent,
}


def types(value: object) -> list[str] | None:
    """The types that `type` names, `None` when it is not a list of JSON's types."""
    named = value if isinstance(value, list) else [value]
    if not named or not all(isinstance(name, str) and name in TYPES for name in named):
        return None
    return list(dict.fromkeys(named))


def bounds(node: Mapping[str, object]) -> dict[str, object]:
    """The exclusive bounds as 2020-12 writes them, from 3.0's booleans as well, which replace the plain ones.

    A plain bound that was made exclusive has the value `None` in the result.
    """
    found: dict[str, object] = {}
    for name, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = node.get(name)
        if value is True and _number(node.get(plain)) is not None:
            found[name] = node[plain]
            found[plain] = None
        elif _number(value) is not None:
            found[name] = value
    return found


@lru_cache(maxsize=4096)
def pattern_works(pattern: str) -> bool:
    """Whether the runtime's validator can run the pattern in bounded time."""
    try:
        compile_shape({"pattern": pattern})
    except ValueError:
        return False
    return True


def shorten(text: object, limit: int = DESCRIPTION_LIMIT) -> str | None:
    """A description for the model: trimmed, cut at `limit` characters with `…`; `None` if there is none."""
    if not isinstance(text, str) or not (text := text.strip()):
        return None
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
