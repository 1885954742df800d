"""The limits of two grants that differ, in the words in which `inspect` tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ..access import ToolAccess
from ..grant_words import flow_in_words, limits_of_grant
from .gained import Found
from .values import Version

#: Rule → the parts of a grant that it is about.
_PARTS: Final = {
    "AC902": ("arguments", "approval", "quota", "flow"),
    "AC903": ("arguments",),
    "AC905": ("approval",),
    "AC906": ("quota",),
    "AC907": ("flow",),
    "AC908": ("arguments", "flow"),
}


def differing_lines(found: Found, less: Version, more: Version) -> tuple[str, ...]:
    """`- amount is at most 50`, `+ amount is at most 80`."""
    parts = _PARTS.get(found.code)
    access = more.accesses.get(found.subject)
    if parts is None or access is None:
        return ()
    known = less.accesses.get(found.subject)
    old = [] if known is None else [line for part in parts for line in _lines(known, part)]
    new = [line for part in parts for line in _lines(access, part)]
    gone, come = [line for line in old if line not in new], [line for line in new if line not in old]
    return (*(f"- {line.strip()}" for line in gone), *(f"+ {line.strip()}" for line in come))


def _lines(access: ToolAccess, part: str) -> Iterator[str]:
    grant = access.grant
    if part == "flow":
        yield from flow_in_words(access.tool, grant)
        return
    kept = {"approval": grant.approval, "quota": grant.quota}
    if part == "arguments":
        yield from limits_of_grant(msgspec.structs.replace(grant, approval=None, quota=None))
        return
    only = {name: value if name == part else None for name, value in kept.items()}
    yield from limits_of_grant(msgspec.structs.replace(grant, where=None, origins={}, bind={}, **only))
