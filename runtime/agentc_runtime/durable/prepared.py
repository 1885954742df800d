"""What is read in several threads at once, made known to msgspec before.

It finds out how to read a type at the type's first use, and two threads that do so at the same moment can
crash the process or wait for each other for ever.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..bundle import Manifest, Program, SourceMap
from ..calls import Decision, Returned
from ..refusals import Refusal
from .approvals import Approval
from .steps import Passages, Turn


def prepare() -> None:
    """Prepare every type that a run reads. To be called before the first thread is started."""
    types: tuple[Any, ...] = (
        Program, Manifest, SourceMap, Returned, Decision, Refusal, Approval, Turn, Passages,
    )  # fmt: skip
    for kind in types:
        msgspec.json.Decoder(kind)
