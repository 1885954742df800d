"""Plain scalars: their value by the core schema of YAML 1.2.2 (section 10.3.2), and by that of YAML 1.1."""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("0123456789+-.")
#: Longer numbers are no number that a limit or a price needs, and slow to convert.
_LONGEST_NUMBER = 40

_OLD_WORDS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), "`true`"),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), "`false`"),
    "=": "a default key",
}
_OLD_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_OLD_INT = re.compile(
    r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)"
)
_OLD_FLOAT = re.compile(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?"
    r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
)
_OLD_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
)


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar. `ValueError` says why a number can't be held."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("not a finite number")
    base = 10 if _INT.fullmatch(text) else 8 if _OCTAL.fullmatch(text) else 16 if _HEX.fullmatch(text) else 0
    if not base and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("too long for a number")
    if base:
        return int(text, base)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("too large for a number")
    return value


def elsewhere(text: str, value: str | int | float | bool | None) -> str | None:
    """What YAML 1.1 readers take the plain scalar for, in words, when that differs from `value`."""
    if isinstance(value, str):
        if value in _OLD_WORDS:
            return _OLD_WORDS[value]
        if value[0] not in _NUMBER_STARTS:
            return None
        if _OLD_INT.fullmatch(value) or _OLD_FLOAT.fullmatch(value):
            return "a number"
        return "a date" if _OLD_DATE.fullmatch(value) else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        return None if _OLD_FLOAT.fullmatch(text) else "text"
    if _OLD_OCTAL.fullmatch(text):
        old = int(text, 8)
        return None if old == value else f"the octal number {old}"
    return None if _OLD_INT.fullmatch(text) else "text"
