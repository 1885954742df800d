"""Answers of models that are given again: for exactly the same request, for as long as the spec says.

An answer is kept by the digest of its whole request, prompts and data included, so nobody gets an answer that
was made from what he did not say himself. The runs of a process share what is kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

import msgspec

from .types import ModelRequest, ModelResponse, Usage

#: Answers that are kept, and bytes of the text of one.
MOST: Final = 1000
LONGEST: Final = 65_536


class KeptAnswers:
    """The answers of one process. `monotonic` gives seconds. The ones that were used last stay."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._answers: dict[str, tuple[float, ModelResponse]] = {}

    def find(self, request: ModelRequest, origin: str) -> ModelResponse | None:
        """The answer to the same request, which costs nothing now; `None` when none is there or too old."""
        if not _may_be_kept(request):
            return None
        key = _key(request, origin)
        until, answer = self._answers.pop(key, (0.0, None))
        if answer is None or self._monotonic() >= until:
            return None
        self._answers[key] = (until, answer)
        return msgspec.structs.replace(answer, usage=Usage(), first_chunk=None, cached=True)

    def keep(self, request: ModelRequest, origin: str, answer: ModelResponse) -> None:
        """Keep an answer that is whole."""
        if not _may_be_kept(request) or answer.finish_reason != "stop":
            return
        if len(answer.message.text) > LONGEST:
            return
        self._answers[_key(request, origin)] = (self._monotonic() + _seconds(request), answer)
        if len(self._answers) > MOST:
            del self._answers[next(iter(self._answers))]


def _may_be_kept(request: ModelRequest) -> bool:
    """With tools an answer is a proposal to act, which is made anew each time."""
    return not request.tools and _seconds(request) > 0


def _seconds(request: ModelRequest) -> float:
    return (request.model.response_cache_ms or 0) / 1000


def _key(request: ModelRequest, origin: str) -> str:
    return hashlib.sha256(msgspec.json.encode([origin, request])).hexdigest()
