"""The `Link` header (RFC 8288), read for one thing: where the next page is, if that is on the plan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote_plus, urljoin

from .urls import UrlError, parse_url

#: Characters of a `Link` header that are read, and of a link.
MAX_LINK: Final = 8192
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_LINK: Final = re.compile(rf'<([^<>"]*)>([^<>,"]*(?:{_QUOTED}[^<>,"]*)*)')
_PARAMETER: Final = re.compile(rf';[ \t]*([^=;"\s]+)[ \t]*(?:=[ \t]*({_QUOTED}|[^;"\s]*))?')
_PRINTABLE: Final = re.compile(r"[!-~]*")


class LinkError(ValueError):
    """A link to the next page that is not followed. The message says why, without its text."""


def next_link(header: str) -> str | None:
    """The target of the only link with the relation `next`; `None` when there is none.

    Raises:
        LinkError: there are two of them, or the header is too long.
    """
    if len(header) > MAX_LINK:
        raise LinkError(f"is in a header of more than {MAX_LINK:,} characters")
    targets = {target for target, parameters in _LINK.findall(header) if _is_next(parameters)}
    if len(targets) > 1:
        raise LinkError("is not the only one")
    return next(iter(targets), None)


def follow(url: str, target: str, declared: Iterable[str]) -> str:
    """The URL of the next page, made of `url` (the call's own) and what `target` adds to its query.

    Origin and path stay as they are. A parameter that the call has set keeps its value, so that no link can
    change what a grant binds or limits; others must be `declared` query parameters of the operation.

    Raises:
        LinkError: the link would leave the origin or the path, or change or invent a parameter.
    """
    if not _PRINTABLE.fullmatch(target) or len(target) > MAX_LINK:
        raise LinkError("is not a URL")
    try:
        own, link = parse_url(url), parse_url(urljoin(url, target).partition("#")[0])
    except (UrlError, ValueError) as error:
        raise LinkError("is not a URL") from error
    if link.origin != own.origin:
        raise LinkError(f"leads away from `{own.origin}`")
    own_path, _, own_query = own.target.partition("?")
    path, _, query = link.target.partition("?")
    if path != own_path:
        raise LinkError("leads to another path")
    fixed, wanted = _pairs(own_query), _pairs(query)
    for name, values in wanted.items():
        if name in fixed and values != fixed[name]:
            raise LinkError(f"changes `{quote(name)}`, which the call has set")
    added = {name: values for name, values in wanted.items() if name not in fixed}
    if strange := sorted(added.keys() - set(declared)):
        raise LinkError(f"sets `{quote(strange[0])}`, which is no query parameter of the operation")
    written = [
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, values in added.items()
        for value in values
    ]
    pieces = [*([own_query] if own_query else []), *written]
    base = url.partition("?")[0]
    return f"{base}?{'&'.join(pieces)}" if pieces else base


def _is_next(parameters: str) -> bool:
    for name, value in _PARAMETER.findall(parameters):
        if name.lower() == "rel":
            return "next" in value.strip('"').lower().split()  # the first one counts
    return False


def _pairs(query: str) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for piece in query.split("&") if query else ():
        name, _, value = piece.partition("=")
        try:
            pairs.setdefault(unquote_plus(name, errors="strict"), []).append(
                unquote_plus(value, errors="strict")
            )
        except UnicodeDecodeError as error:
            raise LinkError("is not UTF-8") from error
    return pairs
