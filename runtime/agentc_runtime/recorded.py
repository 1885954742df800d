"""A request as a cassette keeps it: what identifies it, and where two of them differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Final, TypeAlias
from urllib.parse import unquote_plus, urlsplit

import msgspec

from .bodies import body_data
from .canonical import canonical
from .quoting import shown
from .wire import HttpRequest

#: Takes the secrets out of text.
Redact: TypeAlias = Callable[[str], str]


class CassetteError(Exception):
    """A cassette that can't be read, or a request that is not on it. The message says what to do."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a cassette holds: immutable, and closed against fields that it does not know."""


class RecordedRequest(Record, frozen=True, kw_only=True):
    """What was sent: `path` with its query, `body` as JSON, as text, or as an object of `base64`.

    `dropped` are the query parameters that held a secret.
    """

    method: str
    path: str
    body: object
    digest: str
    dropped: tuple[str, ...] = ()


def recorded(request: HttpRequest, redact: Redact, dropped: frozenset[str] = frozenset()) -> RecordedRequest:
    """`request` as it is kept and compared: no host, no headers, no secret.

    Query parameters named in `dropped`, and those that hold a secret, are left out.

    Raises:
        CassetteError: the body has no canonical form, being NaN, or nested too deep.
    """
    url = urlsplit(request.url)
    kept: list[str] = []
    left_out: list[str] = []
    for piece in url.query.split("&") if url.query else ():
        name, _, value = piece.partition("=")
        secret = redact(piece) != piece or redact(unquote_plus(value)) != unquote_plus(value)
        if secret or unquote_plus(name) in dropped:
            left_out.append(unquote_plus(name))
        else:
            kept.append(piece)
    path = redact(url.path) + (f"?{'&'.join(kept)}" if kept else "")
    try:
        body = None if request.body is None else _redacted(_json(request.body), redact)
        digest = hashlib.sha256(canonical([request.method, path, body])).hexdigest()
    except (ValueError, RecursionError) as error:
        raise CassetteError(f"request `{request.method} {path}` can't be recorded: {error}") from error
    return RecordedRequest(
        method=request.method, path=path, body=body, digest=digest, dropped=tuple(left_out)
    )


def likeness(then: RecordedRequest, now: RecordedRequest) -> int:
    """How much of two requests is the same, from their beginning: characters of JSON."""
    before, after = (json.dumps([one.method, one.path, one.body], sort_keys=True) for one in (then, now))
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(before), len(after)))


def difference(then: RecordedRequest, now: RecordedRequest) -> tuple[str, str, str]:
    """The first place where two requests differ: its JSON path, and what stands there in each."""
    for name, before, after in (("method", then.method, now.method), ("path", then.path, now.path)):
        if before != after:
            return name, *_both(before, after)
    return _first("body", then.body, now.body) or ("digest", shown(then.digest), shown(now.digest))


def _first(path: str, then: object, now: object) -> tuple[str, str, str] | None:
    if isinstance(then, dict) and isinstance(now, dict):
        pairs = [(f"{path}.{key}", then.get(key, _ABSENT), now.get(key, _ABSENT)) for key in {**then, **now}]
    elif isinstance(then, list) and isinstance(now, list):
        pairs = [
            (f"{path}[{index}]", *pair)
            for index, pair in enumerate(zip_longest(then, now, fillvalue=_ABSENT))
        ]
    elif type(then) is type(now) and then == now:
        return None
    else:
        return path, *_both(then, now)
    return next((found for pair in pairs if (found := _first(*pair)) is not None), None)


def _both(then: object, now: object) -> tuple[str, str]:
    if isinstance(then, str) and isinstance(now, str):
        # Long texts differ somewhere inside; what leads up to it is enough to find the place.
        same = next(
            (at for at, (a, b) in enumerate(zip(then, now, strict=False)) if a != b),
            len(min(then, now, key=len)),
        )
        start = max(0, same - 30)
        lead = "…" if start else ""
        return shown(lead + then[start:]), shown(lead + now[start:])
    return _told(then), _told(now)


def _told(value: object) -> str:
    return "absent" if value is _ABSENT else shown(value)


_ABSENT: Final = object()


def _json(body: bytes) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return body_data(body)
    return value


def _redacted(value: object, redact: Redact) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(key): _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    return value
