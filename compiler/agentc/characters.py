"""The text of a file before YAML sees it: bytes that are not UTF-8, and characters that deceive a reader."""

from __future__ import annotations

import re

from .checks import ac102_not_utf8, ac107_deceptive_character
from .diagnostics import Diagnostic, Span
from .source import SourceFile

#: Control characters, line breaks that only some readers see (NEL, LS, PS: YAML 1.1 breaks lines there,
#: YAML 1.2 and editors do not), bidirectional marks, tags, noncharacters, a byte order mark in the text.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]+"
)
#: What takes no room on a screen: two keys that differ only by it look the same.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: Findings of one kind in one file: a file of noise needs no more to be refused.
_ENOUGH = 100
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def is_utf16(data: bytes) -> bool:
    """The bytes begin with the byte order mark of UTF-16 (or little-endian UTF-32)."""
    return data.startswith(_UTF16)


def readable_text(file: SourceFile) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text, lines ended by LF, each refused character replaced by one that YAML admits; and the findings.

    Lines and columns stay as they are. The text is empty when the file is in another encoding as a whole.
    """
    if is_utf16(file.data):
        span = Span(file.path, 1, 1, 1, 2)
        return "", (ac102_not_utf8.report(span, file.data[0], 0, utf16=True),)
    found = []
    if "\ufffd" in file.text:
        try:
            file.data.decode()
        except UnicodeDecodeError as error:
            before = SourceFile(file.path, file.data[: error.start]).lines
            span = Span(file.path, len(before), len(before[-1]) + 1, len(before), len(before[-1]) + 2)
            found.append(ac102_not_utf8.report(span, file.data[error.start], error.start))
    text = "\n".join(file.lines) if "\r" in file.text else file.text
    if _FORBIDDEN.search(text) is None:
        return text, tuple(found)
    found.extend(_forbidden(file))
    return _FORBIDDEN.sub(lambda match: "\ufffd" * len(match[0]), text), tuple(found)


def _forbidden(file: SourceFile) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for number, line in enumerate(file.lines, 1):
        for match in _FORBIDDEN.finditer(line):
            if len(found) == _ENOUGH:
                return found
            span = Span(file.path, number, match.start() + 1, number, match.end() + 1)
            found.append(ac107_deceptive_character.report(span, match[0][0]))
    return found


def invisible_in(name: str) -> str | None:
    """The first character of a key that can't be seen, or `None`."""
    if name.isascii():
        return None
    match = _INVISIBLE.search(name)
    return match[0] if match else None
