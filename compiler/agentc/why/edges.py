"""Values at the edges of a schema, and just beyond them: what a reader of a limit asks about first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Final

from ..schematypes import resolve, types_of

#: Texts and lists at the edge of a length that is larger than this are not made.
MAX_LENGTH: Final = 200
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_CENT: Final = Decimal("0.01")


def edges(schema: object, root: Mapping[str, object], near: object = None) -> Iterator[object]:
    """Values at the bounds that a schema names, and beside them; `near` is one that they should be like.

    They may or may not satisfy it: whoever asks has them judged.
    """
    found = resolve(schema, dict(root))
    if not isinstance(found, Mapping):
        return
    if "const" in found:
        yield found["const"]
    listed = found.get("enum")
    yield from listed if isinstance(listed, list) else ()
    yield from _numbers(found, near)
    yield from _texts(found, near)
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = found.get(keyword)
        for part in parts if isinstance(parts, list) else ():
            yield from edges(part, root, near)


def nearest_first(values: Iterable[object], to: object) -> list[object]:
    """The values, each once, those most like `to` first."""
    once: dict[str, object] = {}
    for value in values:
        once.setdefault(repr(value), value)
    return sorted(once.values(), key=lambda value: (_distance(value, to), repr(value)))


def _numbers(schema: Mapping[str, object], near: object) -> Iterator[object]:
    whole = "number" not in types_of(dict(schema)) or schema.get("type") == "integer"
    bounds = [bound for name in _BOUNDS if _is_number(bound := schema.get(name))]
    step = Decimal(1) if whole else _CENT
    multiple = schema.get("multipleOf")
    if _is_number(multiple) and isinstance(near, int | float) and not isinstance(near, bool):
        step = Decimal(str(multiple))
        below = (Decimal(str(near)) // step) * step
        bounds += [_plain(below), _plain(below + step)]
    for bound in bounds:
        exact = Decimal(str(bound))
        yield from (_plain(exact), _plain(exact - step), _plain(exact + step))


def _texts(schema: Mapping[str, object], near: object) -> Iterator[object]:
    for name in ("minLength", "maxLength"):
        length = schema.get(name)
        if not isinstance(length, int) or length > MAX_LENGTH:
            continue
        text = near if isinstance(near, str) and near else "x"
        for size in (length, length - 1, length + 1):
            if size >= 0:
                yield (text * (size // len(text) + 1))[:size]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _distance(value: object, to: object) -> float:
    numbers = isinstance(value, int | float) and isinstance(to, int | float)
    if numbers and not isinstance(value, bool) and not isinstance(to, bool):
        return abs(float(value) - float(to))  # type: ignore[arg-type]
    if isinstance(value, str) and isinstance(to, str):
        return 1 - SequenceMatcher(None, value[:MAX_LENGTH], to[:MAX_LENGTH]).ratio()
    return float(type(value) is not type(to))
