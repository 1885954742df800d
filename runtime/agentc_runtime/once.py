"""What is made from parts of a bundle once, and not again by each run of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: So many are held.
MOST: Final = 256


class Once(Generic[P, T]):
    """Calls `make` once for the same objects, which are values that never change.

    The objects are held for as long as what was made from them, so that no other can have their identity.
    When `most` are held, all are let go. What `make` raises is raised each time.
    """

    def __init__(self, make: Callable[P, T], most: int = MOST) -> None:
        self._make = make
        self._most = most
        self._made: dict[int | tuple[int, ...], tuple[tuple[object, ...], T]] = {}

    def __call__(self, *parts: P.args, **named: P.kwargs) -> T:
        """What is made from `parts`; nothing can be given by name."""
        key: int | tuple[int, ...]
        if len(parts) == 1:  # as most are, and runs ask for many
            key = id(parts[0])
        elif len(parts) == 2:
            key = (id(parts[0]), id(parts[1]))
        else:
            key = tuple(map(id, parts))
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= self._most:
                self._made.clear()
            found = self._made[key] = (parts, self._make(*parts, **named))
        return found[1]
