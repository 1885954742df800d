"""JSON data as YAML in one spelling: what is equal is written equal, on any machine and with any library.

For people: keys are sorted, lines of a text stay lines, and whatever a reader could not see is escaped. A
YAML library is not used because a line that it breaks elsewhere in its next version would be a difference.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final

MAX_DEPTH: Final = 100
#: What is shown as it is. A fixed list: what counts as printable differs between versions of Python.
_SEEN: Final = (
    " -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2100-\u23ff\u2500-\u27bf\u3001-\u30ff\u4e00-\u9fff\uac00-\ud7a3"
)
_PLAIN: Final = re.compile(r"[A-Za-z/$_](?:[A-Za-z0-9_./{}()+$-]| (?=[A-Za-z0-9_./{}()+$-]))*")
_LINES: Final = re.compile(f"[{_SEEN}][\n{_SEEN}]*")
_UNSEEN: Final = re.compile(f"[^{_SEEN}]")
#: Plain words that some reader of YAML takes for something other than text.
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
#: A longer key is written in the form for keys that are no single line.
_LONG_KEY: Final = 400


def canonical_yaml(value: object) -> str:
    """The value in block style. What is nested deeper than `MAX_DEPTH` is left out, with a mark."""
    return "".join(f"{line}\n" for line in _lines(value, 0))


def _lines(value: object, depth: int) -> list[str]:
    """The lines of a value that stands alone."""
    if depth > MAX_DEPTH:
        return ['"…"']
    found: list[str] = []
    if isinstance(value, dict) and value:
        for key in sorted(value):
            name = _scalar(key)
            if len(name) > _LONG_KEY:
                found.append(f"? {name}")
                name = ""
            found += _after(f"{name}:", value[key], depth)
    elif isinstance(value, list) and value:
        for item in value:
            lines = _text(item) or _lines(item, depth + 1)
            found.append(f"- {lines[0]}")
            found += _indented(lines[1:])
    else:
        found = [_scalar(value)]
    return found


def _after(key: str, value: object, depth: int) -> list[str]:
    """A key with its value: on one line if that is one."""
    lines = _text(value)
    if lines:
        return [f"{key} {lines[0]}", *_indented(lines[1:])]
    if isinstance(value, dict | list) and value:
        return [key, *_indented(_lines(value, depth + 1))]
    return [f"{key} {_scalar(value)}"]


def _text(value: object) -> list[str]:
    """A text of several lines as a literal block; nothing if it is none, or can't be written so."""
    if not isinstance(value, str) or "\n" not in value or value.endswith("\n\n"):
        return []
    if not _LINES.fullmatch(value) or value[0] == " ":
        return []
    return ["|" if value.endswith("\n") else "|-", *value.removesuffix("\n").split("\n")]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" if line else line for line in lines]


def _scalar(value: object) -> str:
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '"' + _UNSEEN.sub(_escaped, escaped) + '"'
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, float) and not math.isfinite(value):
        return '"…"'
    return json.dumps(value)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:  # half a character: no escape of YAML stands for it
        code = 0xFFFD
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
