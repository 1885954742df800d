"""JSON read without leniency: whatever two readers might understand differently is refused."""

from __future__ import annotations

import json
import math
from typing import Final

import msgspec

#: How deep objects and arrays may nest.
MAX_DEPTH: Final = 64
#: The largest and smallest integers that are read: OpenAPI's `int64`. Beyond, readers round or wrap.
MAX_INTEGER: Final = 2**63 - 1
_EXACT: Final = 2**53
_QUICK: Final = msgspec.json.Decoder(object)


class StrictJsonError(ValueError):
    """Text that is not exactly one unambiguous JSON value. The message quotes nothing from the text."""


def parse(text: str) -> object:
    """The value of exactly one JSON text.

    A number with a fraction of zero comes back as an integer, which is the same JSON value and the same
    text to every server.

    Raises:
        StrictJsonError: bad syntax, trailing text, duplicate keys, NaN or Infinity (also by overflow), a lone
            surrogate, an integer beyond 64 bits, or nesting deeper than `MAX_DEPTH`.
    """
    plain = text.isascii() and "\\" not in text
    nested = text.count("{") + text.count("[") > MAX_DEPTH
    if plain and not nested:
        quick = _quickly(text)
        if quick is not None:
            return quick
    try:
        value = _DECODER.decode(text)
    except StrictJsonError:
        raise
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"{_SYNTAX.get(error.msg, 'not JSON')} at character {error.pos}") from error
    except RecursionError as error:
        raise StrictJsonError(f"nested deeper than {MAX_DEPTH}") from error
    if nested:
        _check_depth(value)
    if not plain:
        _check_text(value)
    return value


def _quickly(text: str) -> dict[str, object] | None:
    """The object that plain text is, in a quarter of the time; `None` when the slow way has to look.

    `msgspec` keeps the last of two equal keys. Without escapes every string of the text has two quotation
    marks, so that a string that is missing from the value shows.
    """
    try:
        value = _QUICK.decode(text)
    except msgspec.DecodeError:
        return None
    if not isinstance(value, dict):
        return None
    strings = _settle(value)
    return value if strings is not None and 2 * strings == text.count('"') else None


def _settle(value: dict[str, object] | list[object]) -> int | None:
    """Make integers of whole numbers, in place. How many strings there are; `None` when a number is large."""
    strings, items = (len(value), value.items()) if isinstance(value, dict) else (0, enumerate(value))
    for key, item in items:
        kind = type(item)
        if kind is str:
            strings += 1
        elif isinstance(item, float):
            if not -_EXACT <= item <= _EXACT:
                return None
            if item.is_integer():
                value[key] = int(item)  # type: ignore[index]  # the key or index of this very item
        elif kind is int:
            if not -MAX_INTEGER <= item <= MAX_INTEGER:  # type: ignore[operator]  # see `kind`
                return None
        elif isinstance(item, dict | list):
            below = _settle(item)
            if below is None:
                return None
            strings += below
    return strings


def check(value: object) -> None:
    """That a value which did not come through `parse` is one that it could have given.

    Raises:
        StrictJsonError: as `parse`, for what a value can show.
    """
    if isinstance(value, str) and value.isascii():
        return
    _check_depth(value)
    _check_text(value)
    waiting = [value]
    while waiting:
        match waiting.pop():
            case bool() | str() | None:
                pass
            case int() as number:
                if abs(number) > MAX_INTEGER:
                    raise StrictJsonError("an integer has more than 64 bits")
            case float() as number:
                if not math.isfinite(number):
                    raise StrictJsonError("NaN and Infinity are not JSON")
            case dict() as item:
                waiting.extend(item.values())
            case list() as item:
                waiting.extend(item)
            case _:
                raise StrictJsonError("a value is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise StrictJsonError("an object has the same key twice")
    return value


def _constant(_: str) -> object:
    raise StrictJsonError("NaN and Infinity are not JSON")


def _integer(text: str) -> int:
    # longer than any integer in range, and what makes int() slow or raise
    if len(text) > 20 or not -MAX_INTEGER <= (value := int(text)) <= MAX_INTEGER:
        raise StrictJsonError("an integer has more than 64 bits")
    return value


def _number(text: str) -> float | int:
    value = float(text)
    if math.isinf(value):
        raise StrictJsonError("a number is too large")
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    if any(isinstance(item, dict | list) for item in level):
        raise StrictJsonError(f"nested deeper than {MAX_DEPTH}")


def _check_text(value: object) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError as error:
                raise StrictJsonError("a string holds half of a surrogate pair") from error
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_number
)
_SYNTAX: Final = {"Extra data": "more than one JSON value", "Expecting value": "a value is missing"}
