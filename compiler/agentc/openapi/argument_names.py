"""Names for arguments: unique over path, query, headers and body, and inside what model providers accept."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from .parameters import Argument

#: The narrowest rule for property names among the providers.
_REFUSED = re.compile(r"[^a-zA-Z0-9_.-]+")
_LIMIT = 64


def argument_names(arguments: Sequence[Argument]) -> list[str]:
    """A name for each argument, in order: its wire name, with its place in front when that stands twice.

    A body that is given as a whole is called `body`. Depends on nothing but the arguments.
    """
    plain = [_allowed("body" if argument.whole else argument.wire) for argument in arguments]
    often = Counter(plain)
    names: list[str] = []
    # what needs no prefix has the first claim to its name
    taken = {name for name in plain if often[name] == 1}
    for argument, name in zip(arguments, plain, strict=True):
        if often[name] == 1:
            names.append(name)
            continue
        base = _allowed(f"{argument.location}_{name}")
        unique, number = base, 2
        while unique in taken:
            unique, number = f"{base[: _LIMIT - 4]}_{number}", number + 1
        taken.add(unique)
        names.append(unique)
    return names


def _allowed(name: str) -> str:
    """`name` with what is refused made `_`; a long one keeps its beginning and gets a digest of the whole."""
    clean = _REFUSED.sub("_", name)
    if clean != name:
        clean = clean.strip("_")
    if len(clean) > _LIMIT:
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
        clean = f"{clean[: _LIMIT - 9]}_{digest}"
    return clean or "value"
