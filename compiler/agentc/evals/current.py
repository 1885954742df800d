"""The call that a request belongs to: known to the task that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

#: The tool and the arguments of the call that was claimed last in this task.
CLAIMED: Final[ContextVar[tuple[str, Mapping[str, object]] | None]] = ContextVar("claimed", default=None)
