"""Answers of reads, kept for a while by one broker: the same request, byte for byte, gets the same answer.

The key is the whole request with its credentials, so what one customer's call has read is never given to
another's. A token that is fetched for a call is not in the request yet: it is the tool's own, one client with
one set of scopes, and each tool keeps its own answers. A broker serves one run; nothing outlives it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import Final

import msgspec

from .answer import Answer
from .behaviour import Cache
from .canonical import canonical
from .wire import HttpRequest

#: Bytes of bodies that are kept for one tool.
MAX_KEPT: Final = 16_777_216
_VALIDATOR: Final = re.compile(r"[\x20-\x7e]{1,512}")
_MAX_AGE: Final = re.compile(r"max-age=([0-9]{1,9})")
_CONDITIONS: Final = frozenset({"if-none-match", "if-modified-since", "range"})


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and the second of the monotonic clock until which it is given without asking."""

    answer: Answer
    until: float


class Keeper:
    """What is kept for one tool; the oldest goes when there is too much."""

    def __init__(self, plan: Cache) -> None:
        self._plan = plan
        self._entries: dict[bytes, Kept] = {}

    def find(self, request: HttpRequest) -> Kept | None:
        """What was answered to exactly this request, fresh or not."""
        return self._entries.get(_key(request))

    def forget(self) -> None:
        """Drop everything: something has been changed since it was read."""
        self._entries.clear()

    def drop(self, request: HttpRequest) -> None:
        """Drop the answer to this request."""
        self._entries.pop(_key(request), None)

    def take(self, request: HttpRequest, answer: Answer, found: Kept | None, now: float) -> Answer:
        """Keep `answer`, unless the service says not to; after a 304 the one that was found is given."""
        if answer.status == 304 and found is not None:
            headers = {**found.answer.headers, **answer.headers}
            answer = dataclasses.replace(found.answer, headers=headers, cached=True)
        self.drop(request)
        control = answer.headers.get("cache-control", "").lower()
        if "no-store" in control or answer.size > MAX_KEPT:
            return answer
        seconds = self._plan.ttl_ms / 1000
        if (age := _MAX_AGE.search(control)) is not None:
            seconds = min(seconds, int(age[1]))
        if "no-cache" in control or "*" in answer.headers.get("vary", ""):
            seconds = 0
        self._entries[_key(request)] = Kept(answer, now + seconds)
        while len(self._entries) > self._plan.max_entries or self._size() > MAX_KEPT:
            del self._entries[next(iter(self._entries))]
        return answer

    def _size(self) -> int:
        return sum(entry.answer.size for entry in self._entries.values())


def conditioned(request: HttpRequest, found: Kept | None) -> HttpRequest | None:
    """`request`, asking whether `found` still holds; `None` when the service gave nothing to ask with."""
    if found is None or _CONDITIONS & request.headers.keys():
        return None
    etag, modified = (found.answer.headers.get(name, "") for name in ("etag", "last-modified"))
    if _VALIDATOR.fullmatch(etag):
        condition = {"if-none-match": etag}
    elif _VALIDATOR.fullmatch(modified):
        condition = {"if-modified-since": modified}
    else:
        return None
    return msgspec.structs.replace(request, headers={**request.headers, **condition})


def _key(request: HttpRequest) -> bytes:
    said = {
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "origin": request.origin,
    }
    return hashlib.sha256(canonical(said) + b"\n" + (request.body or b"")).digest()
