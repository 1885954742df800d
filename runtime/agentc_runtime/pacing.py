"""How fast a tool may be called: its rate limit, its circuit breaker, and the waits between attempts."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from .bundle import Tool
from .workflow import ErrorClass, Retry

#: Failures in a row that open a tool's circuit breaker, and for how many seconds.
BREAK_AFTER: Final = 5
BREAK_SECONDS: Final = 30.0
#: Statuses that say "later": worth another attempt.
LATER: Final = frozenset({429, 502, 503, 504})


class Pace:
    """The recent past of one tool. Times are seconds of a clock that never goes back."""

    def __init__(self, tool: Tool, now: float) -> None:
        self._rate = tool.rate_per_minute
        self._tokens = float(tool.rate_per_minute or 0)
        self._at = now
        self._failures = 0
        self._closed_until = now

    def take(self, now: float) -> str | None:
        """Take leave for one call. Returns why there is none, in which case nothing was taken."""
        if self._failures >= BREAK_AFTER:
            if now < self._closed_until:
                return (
                    f"the service failed {self._failures} times in a row; the next try is in "
                    f"{self._closed_until - now:.0f} s"
                )
            # one try goes through, the others wait for what it tells
            self._closed_until = now + BREAK_SECONDS
        if self._rate is None:
            return None
        self._tokens = min(float(self._rate), self._tokens + (now - self._at) * self._rate / 60)
        self._at = now
        if self._tokens < 1:
            return f"the rate is limited to {self._rate} calls a minute"
        self._tokens -= 1
        return None

    def succeeded(self) -> None:
        """The service answered, whatever it said."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """The service did not answer, or answered that it is broken."""
        self._failures += 1
        if self._failures >= BREAK_AFTER:
            self._closed_until = now + BREAK_SECONDS


def retries(retry: Retry, attempt: int, error: ErrorClass) -> bool:
    """Whether attempt number `attempt` (from 1), which failed with `error`, may be followed by another."""
    return attempt < retry.max_attempts and (error in retry.errors or "any" in retry.errors)


def wait_seconds(retry: Retry, attempt: int, jitter: float, retry_after: float | None) -> float:
    """Seconds to wait after attempt `attempt` (from 1). `jitter` is in [0, 1).

    What the service asks for in `Retry-After` is honoured up to the longest backoff.
    """
    longest = retry.max_backoff_ms / 1000
    backoff = min(longest, retry.backoff_ms / 1000 * float(retry.rate) ** (attempt - 1)) * jitter
    return max(backoff, min(longest, retry_after or 0.0))


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """The `Retry-After` header as seconds from `now`; `None` when absent or not understood."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
