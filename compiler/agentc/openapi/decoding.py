"""The bytes of a document as plain data, JSON or YAML by their content, and the keys that stand twice."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from .position import duplicate_keys, too_deep
from .problem import MAX_DUPLICATES, Duplicate, Problem, ProblemError
from .yamldata import YamlError, compose

_BOM: Final = b"\xef\xbb\xbf"
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
#: A quote or a colon, escaped.
_ESCAPED: Final = re.compile(rb"\\u00(?:22|3[aA])")


class Decoded(NamedTuple):
    """What a text says. Of a key that stands twice the first value is kept."""

    value: object
    duplicates: tuple[Duplicate, ...] = ()


def decode(name: str, data: bytes) -> Decoded:
    """The data in a text. `name` decides only how a broken one is reported.

    Raises:
        ProblemError: AC701 it is neither JSON nor YAML that is read here.
    """
    data = data.removeprefix(_BOM)
    if not data.strip():
        raise _unreadable("the file is empty", 1, 1)
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            value = msgspec.json.decode(data)
            return Decoded(value, _duplicates(data, value))
        except RecursionError:
            place = too_deep(data)
            raise ProblemError(Problem("AC701", "the document is nested too deeply", place=place)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if name.endswith(".json"):
                raise _bad_json(data, error) from None
            # a flow collection of YAML looks alike
    try:
        value, duplicates = compose(data)
    except YamlError as error:
        raise _unreadable(str(error), error.line, error.column) from None
    return Decoded(value, duplicates)


def _duplicates(data: bytes, value: object) -> tuple[Duplicate, ...]:
    """A key that stands twice loses a value silently: the number of keys before and after tells.

    Counting is much faster than looking at each object. Escaped quotes and colons would count differently,
    so a text that has them is looked at.

    Raises:
        ProblemError: AC701 there are too many.
    """
    if not _ESCAPED.search(data):
        minified = msgspec.json.format(data, indent=-1)
        if minified.count(b'":') == msgspec.json.encode(value).count(b'":'):
            return ()
    found = duplicate_keys(data)
    if len(found) > MAX_DUPLICATES:
        raise ProblemError(found[-1].problem())
    return found


def _bad_json(data: bytes, error: Exception) -> ProblemError:
    found = _BYTE.search(str(error))
    at = int(found[1]) if found else len(data)
    reason = str(error).partition(" (byte")[0]
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        at, reason = wrong.start, "not UTF-8"
    before = data[:at]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    message = f"the file is not JSON: {reason[:1].lower()}{reason[1:]}"
    return _unreadable(message, before.count(b"\n") + 1, column)


def _unreadable(message: str, line: int, column: int) -> ProblemError:
    return ProblemError(Problem("AC701", message, (), None, (line, column, column + 1)))
