"""Files that hold recorded runs, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentc_runtime.history import PastRun

_SQLITE: Final = b"SQLite format 3\x00"


def recorded_runs(path: Path) -> Iterator[PastRun]:
    """The runs in a store, or in the events that `agentc run --format json` printed.

    Raises:
        StoreError: it is neither, or can't be read.
    """
    from agentc_runtime.history import read_runs
    from agentc_runtime.transcripts import read_transcript

    with path.open("rb") as file:
        is_store = file.read(len(_SQLITE)) == _SQLITE
    yield from read_runs(path) if is_store else read_transcript(path)
