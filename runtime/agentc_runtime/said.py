"""What a person says of a run, as stores keep it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .strictjson import parse

Thumb: TypeAlias = Literal["up", "down"]
COLUMNS = "thumb, correction, labels, comment"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one person says of one run. `correction` is the output that should have come, if there is one."""

    thumb: Thumb | None = None
    correction: object = None
    labels: tuple[str, ...] = ()
    comment: str = ""

    @property
    def nothing(self) -> bool:
        """Whether it says nothing at all."""
        return self == Said()


def said_of(thumb: object, correction: object, labels: object, comment: object) -> Said:
    """What was said, from the columns of a store.

    Raises:
        ValueError: they hold something else.
    """
    return msgspec.convert(
        {
            "thumb": thumb,
            "correction": parse(str(correction)),
            "labels": parse(str(labels)),
            "comment": comment,
        },
        Said,
    )
