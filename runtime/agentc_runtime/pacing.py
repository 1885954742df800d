"""How fast a tool may be called: its rate limit, its circuit breaker, and the waits between attempts."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from .bundle import Tool
from .workflow import ErrorClass, Retry

#: Failures in a row that open a circuit breaker, and for how many seconds.
BREAK_AFTER: Final = 5
BREAK_SECONDS: Final = 30.0
#: Statuses that say "later": worth another attempt.
LATER: Final = frozenset({429, 502, 503, 504})


class Breaker:
    """A circuit breaker. Times are seconds of a clock that never goes back."""

    def __init__(self, now: float) -> None:
        self.failures = 0
        self.closed_until = now

    def take(self, now: float) -> str | None:
        """Take leave for one try. Returns why there is none."""
        if self.failures >= BREAK_AFTER:
            if now < self.closed_until:
                left = f"{self.closed_until - now:.0f} s"
                return f"failed {self.failures} times in a row; the next try is in {left}"
            # one try goes through, the others wait for what it tells
            self.closed_until = now + BREAK_SECONDS
        return None

    def succeeded(self) -> None:
        """It answered, whatever it said."""
        self.failures = 0

    def failed(self, now: float) -> None:
        """It did not answer, or answered that it is broken."""
        self.failures += 1
        if self.failures >= BREAK_AFTER:
            self.closed_until = now + BREAK_SECONDS


class Pace(Breaker):
    """The recent past of one tool: its circuit breaker and its rate."""

    def __init__(self, tool: Tool, now: float) -> None:
        super().__init__(now)
        self._rate = tool.rate_per_minute
        self._tokens = float(tool.rate_per_minute or 0)
        self._at = now

    def take(self, now: float) -> str | None:
        """Take leave for one call. Returns why there is none, in which case nothing was taken."""
        broken = super().take(now)
        if broken is not None:
            return f"the service {broken}"
        if self._rate is None:
            return None
        self._tokens = min(float(self._rate), self._tokens + (now - self._at) * self._rate / 60)
        self._at = now
        if self._tokens < 1:
            return f"the rate is limited to {self._rate} calls a minute"
        self._tokens -= 1
        return None


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
