"""Canonical JSON (RFC 8785, "JCS"): one value has one sequence of bytes, so that bytes can be hashed.

One deviation: RFC 8785 covers integers up to 2^53 only, and OpenAPI's int64 bounds go beyond. Here an
integer of any size is written exactly.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from json.encoder import encode_basestring
from typing import TypeAlias

import msgspec

#: Deeper values are refused, so that nobody's nesting exhausts the stack of whoever reads the bytes.
MAX_DEPTH = 400

#: The way to a value: the way to its parent, and the key or index in it. `None` is the root.
_Path: TypeAlias = tuple["_Path", str | int] | None


def canonical(value: object) -> bytes:
    """The canonical JSON of `value`: `None`, bools, numbers, strings, lists, tuples, mappings by strings.

    A tuple is written as an array. Structs and other types are not accepted: callers convert with
    `msgspec.to_builtins`, so that this function never has to guess what a type means in JSON.

    Raises:
        ValueError: a NaN, an infinity, a lone surrogate, a key that is no string, a type that JSON does
            not know, an integer of more digits than the interpreter converts, or nesting beyond
            `MAX_DEPTH`. The message is one line and names the path, `$` being the root.
    """
    quick = _quick(value)
    if quick is not None:
        return quick
    out: list[str] = []
    _write(value, None, 0, out)
    return "".join(out).encode()


def parse(data: bytes) -> object:
    """The value that `data` holds, if `data` is its canonical JSON.

    Refusing every other spelling leaves no room for duplicate keys, for two readers that disagree, and
    for changes that a digest sees and a reader does not.

    Raises:
        ValueError: not UTF-8, not JSON, or not canonical. The message is one line.
    """
    known = _quickly_parsed(data)
    if known is not None:
        return known
    try:
        value: object = json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.lower()} at character {error.pos}") from error
    except ValueError as error:
        raise ValueError("an integer has too many digits") from error
    if canonical(value) != data:
        raise ValueError("not canonical JSON (RFC 8785)")
    return value


def _quick(value: object) -> bytes | None:
    """What `_write` would write, in a fraction of its time, for values where that is certain; else `None`.

    msgspec writes the same bytes but for numbers with an exponent or a fraction of zero, and for keys beyond
    ASCII; and it accepts more types, which do not come back from its decoder as they went in.
    """
    try:
        data = _ENCODE(value)
        if not data.isascii() or data.count(b"{") + data.count(b"[") > MAX_DEPTH or _DECODE(data) != value:
            return None
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None
    return data


def _quickly_parsed(data: bytes) -> object:
    """What `data` holds, in a fraction of the time, where it is certain to be canonical; else `None`.

    As in `_quick`, and besides: keys beyond ASCII are in the same order for msgspec as by UTF-16 code units
    below U+E000, the first character that UTF-8 begins with a byte from 0xEE on.
    """
    if not data.isascii() and _HIGH.search(data):
        return None
    try:
        value = _DECODE(data)
        if _ENCODE(value) != data or not _shallow(value):
            return None
    except (ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None
    return value


def _shallow(value: object) -> bool:
    """Whether a value nests no deeper than is allowed. Level by level: there are few."""
    inner: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        objects = [one for one in inner if type(one) is dict]
        arrays = [one for one in inner if type(one) is list]
        if not objects and not arrays:
            return True
        inner = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(arrays)]
    return False


def _plain_number(text: str) -> float:
    value = float(text)
    if repr(value) != text or "e" in text or value.is_integer():
        raise ValueError("a number that has a canonical spelling of its own")
    return value


_HIGH = re.compile(rb"[\xee-\xff]")
_ENCODE = msgspec.json.Encoder(order="sorted").encode
_DECODE = msgspec.json.Decoder(float_hook=_plain_number).decode


def _write(value: object, path: _Path, depth: int, out: list[str]) -> None:
    # Exact bools before integers: a bool is an int to Python.
    if value is None:
        out.append("null")
    elif isinstance(value, bool):
        out.append("true" if value else "false")
    elif isinstance(value, str):
        out.append(_string(value, path))
    elif isinstance(value, int):
        try:
            out.append(int.__repr__(value))
        except ValueError as error:
            raise ValueError(f"integer at `{_show(path)}` has too many digits") from error
    elif isinstance(value, float):
        out.append(_number(value, path))
    elif depth == MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    elif isinstance(value, Mapping):
        _object(value, path, depth + 1, out)
    elif isinstance(value, list | tuple):
        _array(value, path, depth + 1, out)
    else:
        raise ValueError(f"`{type(value).__name__}` at `{_show(path)}` is not JSON")


def _object(value: Mapping[object, object], path: _Path, depth: int, out: list[str]) -> None:
    keys: list[str] = []
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"key `{key!r}` at `{_show(path)}` is not a string")
        keys.append(key)
    separator = "{"
    for key in _sorted(keys):
        out.append(separator)
        separator = ","
        here = (path, key)
        out.append(_string(key, here))
        out.append(":")
        _write(value[key], here, depth, out)
    out.append("}" if keys else "{}")


def _array(value: Iterable[object], path: _Path, depth: int, out: list[str]) -> None:
    out.append("[")
    for index, item in enumerate(value):
        if index:
            out.append(",")
        _write(item, (path, index), depth, out)
    out.append("]")


def _sorted(keys: list[str]) -> list[str]:
    """RFC 8785 3.2.3: by UTF-16 code units, which differs from Python's order above U+FFFF only."""
    if all(key.isascii() for key in keys):
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _string(value: str, path: _Path) -> str:
    """RFC 8785 3.2.2.2. The standard library's escapes are the same ones."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"string at `{_show(path)}` has a lone surrogate") from error
    return encode_basestring(value)


def _number(value: float, path: _Path) -> str:
    """RFC 8785 3.2.2.3: ECMAScript's Number::toString. Python's shortest digits are the same ones."""
    if not math.isfinite(value):
        raise ValueError(f"`{value}` at `{_show(path)}` is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of `point`.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


def _show(path: _Path) -> str:
    """The path as a reader writes it, `$.states[2].name`, with whatever is not ASCII escaped."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{ascii(step)[1:-1]}")
    return "$" + "".join(reversed(steps))
