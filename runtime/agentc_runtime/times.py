"""Points in time as text: RFC 3339 in UTC, to the second."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def time_text(moment: datetime) -> str:
    """`moment` as `2026-11-26T08:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The moment that `time_text` wrote.

    Raises:
        ValueError: text of another form, or no such moment.
    """
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text[:40]!a} is no time: write it like 2026-11-26T08:00:00Z")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
