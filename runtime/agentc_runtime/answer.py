"""An answer that was accepted, on its way from the wire to the broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """`size` is that of the body in bytes, decompressed.

    `pages` counts what it was folded from; `complete` says that there were no more of them. `cached` says
    that it, or one of its pages, was read before.
    """

    status: int
    value: object
    headers: Mapping[str, str]
    size: int
    pages: int = 1
    complete: bool = True
    cached: bool = False
