"""Where two programs differ, part by part, whatever it means. It knows no words and forgets nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from agentc_runtime.bundle import Program
from agentc_runtime.canonical import canonical

#: Stands for what is not there.
ABSENT: Final = object()


@dataclass(frozen=True)
class Difference:
    """One part that differs: its path in the program as JSON, and what stands there in either."""

    path: tuple[str, ...]
    old: object
    new: object

    @property
    def value(self) -> object:
        """What stands there now, or stood there."""
        return self.old if self.new is ABSENT else self.new

    @property
    def row(self) -> list[object]:
        """It as JSON: what is absent is an empty list."""
        return [list(self.path), *([] if value is ABSENT else [value] for value in (self.old, self.new))]


def differences(old: Program, new: Program) -> Iterator[Difference]:
    """Every part in which two programs differ, in the order of their paths."""
    return _between((), msgspec.to_builtins(old), msgspec.to_builtins(new))


_encoded: Final = msgspec.json.Encoder(order="deterministic").encode


def _between(path: tuple[str, ...], old: object, new: object) -> Iterator[Difference]:
    if old is not ABSENT and new is not ABSENT and _encoded(old) == _encoded(new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _between((*path, key), old.get(key, ABSENT), new.get(key, ABSENT))
    elif old is ABSENT or new is ABSENT or canonical([old]) != canonical([new]):
        yield Difference(path, old, new)
