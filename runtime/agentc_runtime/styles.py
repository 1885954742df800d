"""Values written as OpenAPI's parameter styles say (3.1.1, section 4.8.12.3), which are RFC 6570's.

What the specification leaves undefined is refused with AR304: an empty array or object, an array in an
array, an item that holds the separator where encoding it would not tell them apart. Only values nested in a
`deepObject`, of which it says nothing either, are written as most of its users do: `a[b][c]`, and `a[b][0]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote

import msgspec

from .bundle import Param
from .media import content_of
from .quoting import shown
from .refusals import Refusal, RefusedError

Encode: TypeAlias = Callable[[str], str]

#: RFC 6570's reserved expansion without whatever a server may read as the end of the value: `&`, `=`, `#`,
#: `+`, `;`, brackets, and `%`, since the limits of a grant are checked against the value before encoding.
_RESERVED: Final = "/:?@!$'()*,"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_DELIMITERS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}
#: What servers read as another name: case, what stands in brackets, dots and spaces.
_RENAMED: Final = str.maketrans(". ", "__")
_BRACKETS: Final = re.compile(r"[\[\]]")


def encoded(text: str) -> str:
    """Percent-encoded but for RFC 3986's unreserved characters."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe="")


def form_pairs(param: Param, value: object, encode: Encode = encoded) -> list[tuple[str, str]]:
    """The pairs of a query, cookie or form: names as they are, values encoded.

    Raises:
        RefusedError: AR304 the style has no way to write the value.
    """
    if param.content_type is not None:
        return [(param.name, encode(content_text(param, value)))]
    if param.reserved and encode is encoded:
        apart = not param.explode and isinstance(value, list | Mapping)
        safe = _RESERVED.replace(",", "") if apart else _RESERVED
        encode = _reserving(safe)
    if isinstance(value, str | bool | int | float):
        # an empty string may stand for any type that has `allowEmptyValue`
        return [(param.name, encode(scalar(param.argument, value)))]
    if param.style == "deepObject":
        return [(name, encode(text)) for name, text in _deep(param.argument, param.name, value)]
    pieces = flat(param.argument, value)
    if (delimiter := _DELIMITERS.get(param.style)) is not None:
        if param.explode:
            raise misplaced(param.argument, value, f"can't be written as exploded `{param.style}`")
        if any(delimiter in piece for piece in pieces):
            raise misplaced(param.argument, value, f"has {delimiter!r} in an item, which separates items")
        return [(param.name, encode(delimiter).join(map(encode, pieces)))]
    if not param.explode:
        return [(param.name, ",".join(map(encode, pieces)))]
    if isinstance(value, Mapping):
        return [(key, encode(item)) for key, item in zip(pieces[::2], pieces[1::2], strict=True)]
    return [(param.name, encode(piece)) for piece in pieces]


def path_text(param: Param, value: object) -> str:
    """The text of a path parameter; every item is encoded, so that only the style's separators are left.

    Raises:
        RefusedError: as `form_pairs`, and for a value that leaves nothing in the path.
    """
    if param.content_type is not None:
        return encoded(content_text(param, value))
    pieces = [encoded(text) for text in flat(param.argument, value)]
    paired = isinstance(value, Mapping) and param.explode
    if paired:
        pieces = [f"{key}={item}" for key, item in zip(pieces[::2], pieces[1::2], strict=True)]
    if param.style == "matrix":
        name = encoded(param.name)
        if paired:
            return "".join(f";{piece.removesuffix('=')}" for piece in pieces)
        listed = pieces if isinstance(value, list) and param.explode else [",".join(pieces)]
        return "".join(f";{name}={piece}" if piece else f";{name}" for piece in listed)
    if param.style == "label":
        several = param.explode and isinstance(value, list | Mapping)
        if several and any("." in piece for piece in pieces):
            raise misplaced(param.argument, value, "has `.` in an item, which separates items")
        return "." + ("." if several else ",").join(pieces)
    return ",".join(pieces)


def header_text(param: Param, value: object) -> str:
    """The text of a header, as it is: nothing is encoded in headers.

    Raises:
        RefusedError: as `form_pairs`, and for an item with a separator in it.
    """
    if param.content_type is not None:
        return content_text(param, value)
    pieces = flat(param.argument, value)
    if isinstance(value, list | Mapping) and any("," in piece or "=" in piece for piece in pieces):
        raise misplaced(param.argument, value, "has a separator in an item, and stands in a header")
    if isinstance(value, Mapping) and param.explode:
        pieces = [f"{key}={item}" for key, item in zip(pieces[::2], pieces[1::2], strict=True)]
    return ",".join(pieces)


def content_text(param: Param, value: object) -> str:
    """The value of a parameter that is described by `content`, not encoded: ASCII if it is JSON."""
    if param.content_type is not None and content_of(param.content_type) != "json":
        return scalar(param.argument, value)
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def flat(argument: str, value: object) -> list[str]:
    """The scalars of a value as text: an array's items, an object's keys and values in turn.

    Raises:
        RefusedError: AR304 there are none, or one of them is no scalar.
    """
    if isinstance(value, Mapping):
        pieces = [text for key, item in value.items() for text in (str(key), scalar(argument, item))]
    elif isinstance(value, list):
        pieces = [scalar(argument, item) for item in value]
    else:
        return [scalar(argument, value)]
    if not pieces:
        raise misplaced(argument, value, "is empty, which sends nothing; leave it out instead")
    return pieces


def scalar(argument: str, value: object) -> str:
    """A string as it is, a number or boolean as JSON writes it.

    Raises:
        RefusedError: AR304 null, an array or an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    raise misplaced(argument, value, "has a part that can't be written as text")


def clash(param: Param, pairs: Iterable[tuple[str, str]], declared: Iterable[str]) -> str | None:
    """The first name that a value brought with it and that a server might read as a declared one."""
    known = tuple(declared)
    if param.style == "deepObject":
        inside = (
            name for name, _ in pairs if any(one == name or one.startswith(f"{name}[") for one in known)
        )
        return next(inside, None)
    if param.style != "form" or not param.explode or param.content_type is not None:
        return None
    roots = {_root(name) for name in known}
    return next((name for name, _ in pairs if _root(name) in roots), None)


def misplaced(argument: str, value: object, why: str) -> RefusedError:
    """AR304: the value would leave its place in the request."""
    message = f"`{argument}` is {shown(value)}: it {why}"
    return RefusedError(Refusal(code="AR304", message=message, value=shown(value), path=argument))


def _root(name: str) -> str:
    return name.partition("[")[0].strip().lower().translate(_RENAMED)


def _deep(argument: str, name: str, value: object) -> list[tuple[str, str]]:
    """`name[key]` for each scalar in an object, with a key or an index more for each level further in."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, object]] = [(name, value)]
    while waiting:
        at, part = waiting.pop()
        if not isinstance(part, list | Mapping):
            found.append((at, scalar(argument, part)))
            continue
        if not part:
            raise misplaced(argument, part, "is empty, which sends nothing; leave it out instead")
        pairs = part.items() if isinstance(part, Mapping) else enumerate(part)
        inner = [(str(key), item) for key, item in pairs]
        if any(not key or _BRACKETS.search(key) for key, _ in inner):
            raise misplaced(argument, part, "has a key with brackets or nothing in it")
        waiting += [(f"{at}[{key}]", item) for key, item in reversed(inner)]
    return found


def _reserving(safe: str) -> Encode:
    return lambda text: quote(text, safe=safe)
