"""What a provider says when it refuses: short, on one line, and safe to print."""

from __future__ import annotations

from typing import Final

import msgspec

from ..quoting import shortened
from .types import ModelError

#: HTTP statuses that may pass on a new try; so may every 5xx.
_RETRYABLE: Final = frozenset({408, 409, 429})
#: Error names that providers send inside a stream that had begun well, for what passes.
_PASSING: Final = frozenset(
    {
        "server_error",
        "rate_limit_exceeded",
        "overloaded_error",
        "api_error",
        "rate_limit_error",
        "timeout_error",
    }
)
_LENGTH: Final = 300


class ProviderError(msgspec.Struct, frozen=True, kw_only=True):
    """The error object of all three providers, as far as they agree. `code` is a number at one of them."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    error: ProviderError | str


_BODY: Final = msgspec.json.Decoder(_Body | list[_Body])


def status_error(status: int, body: bytes) -> ModelError:
    """The error for an answer with a status other than 200."""
    retryable = status in _RETRYABLE or status >= 500
    return ModelError(f"provider answered {status}: {_message(body)}", status=status, retryable=retryable)


def stream_error(error: ProviderError) -> ModelError:
    """The error for an error event in a stream."""
    passing = error.type in _PASSING or error.code in _PASSING
    if isinstance(error.code, int):
        passing = passing or error.code in _RETRYABLE or error.code >= 500
    text = excerpt(error.message or error.type or str(error.code or "no reason given"))
    return ModelError(f"provider broke off with an error: {text}", retryable=passing)


def excerpt(text: str) -> str:
    """The start of `text` on one line, without characters that act on a terminal."""
    return shortened(" ".join(text[: 4 * _LENGTH].split()), _LENGTH)


def _message(body: bytes) -> str:
    try:
        found = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return excerpt(body.decode(errors="replace")) or "no body"
    first = (found[0] if found else _Body(error="no body")) if isinstance(found, list) else found
    if isinstance(first.error, str):
        return excerpt(first.error)
    return excerpt(first.error.message or first.error.type or "no message")
