"""Formats of arguments, stricter than the validator's own where that takes more than the format says.

jsonschema-rs accepts `Name <a@b.example>` as an address and `+024-01-01` as a date. What a limit admits is
sent, and other readers may read it otherwise: so the forms here are those on which all agree. Answers of
services are not held to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET: Final = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME: Final = re.compile(rf"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,18}})?{_OFFSET}")


def is_email(text: str) -> bool:
    """A mailbox with a dot-atom before the `@` and a host name behind it (RFC 5321, section 4.1.2)."""
    return _EMAIL.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """A day of the calendar, as `full-date` of RFC 3339."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """`full-time` of RFC 3339, without leap seconds."""
    return _TIME.fullmatch(text) is not None


def is_date_time(text: str) -> bool:
    """`date-time` of RFC 3339, without leap seconds."""
    return text[10:11] in ("T", "t") and is_date(text[:10]) and is_time(text[11:])


STRICT: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": is_date,
    "date-time": is_date_time,
    "email": is_email,
    "time": is_time,
}
