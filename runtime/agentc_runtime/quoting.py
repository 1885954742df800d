"""Text from outside, made safe to put into a line that a person or a model reads."""

from __future__ import annotations

import json
import unicodedata
from typing import Final

#: Characters of a value that a message shows.
SHOWN: Final = 200

#: Control, format (bidirectional overrides too), surrogate, private, unassigned; line and paragraph ends.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: An integer that is not written out: `str` refuses those with very many digits.
_WIDE: Final = 10**SHOWN
_LARGE: Final = "a very large number"

_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode


def visible(text: str) -> str:
    r"""`text` with each character that a terminal would act on, or not show, written as `\u…`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def shortened(text: str, limit: int = SHOWN) -> str:
    """`text` made visible, cut to about `limit` characters."""
    cut = visible(text[: limit + 1])
    return cut if len(cut) <= limit else cut[:limit] + "…"


def shown(value: object) -> str:
    """A JSON value as a message shows it: compact, on one line, cut."""
    if isinstance(value, str):
        return shortened(_JSON(value[: SHOWN + 1]))
    if type(value) is int:
        return str(value) if abs(value) < 2**63 else shortened(str(value)) if abs(value) <= _WIDE else _LARGE
    return shortened(_JSON(value))


def clipped(value: object) -> object:
    """`value` itself if it is small, else the text that `shown` gives: for records that must stay small."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else shown(value)
    if isinstance(value, str):
        return value if len(value) <= SHOWN else shortened(value)
    return shown(value)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
