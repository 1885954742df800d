"""What workers report: what they run and how it goes, for each other and for `agentc status`."""

from __future__ import annotations

from typing import Final

import msgspec

from ..expressions import Record
from ..switches import ControlError
from .channel import Arm, Pointer
from .rollout import Counts, Rollout, percent

FORMAT: Final = "agentc.worker/1"


class ArmStatus(Record, frozen=True, kw_only=True):
    """An arm as a worker runs it. `percent` is its share now; `stopped` says why it has none."""

    name: str
    version: str
    digest: str
    percent: int
    stopped: str | None
    counts: Counts


class WorkerStatus(Record, frozen=True, kw_only=True):
    """What a worker runs, and what keeps it from running what it should.

    `sequence` is the pointer that it runs, 0 for none; `newest` the newest that it has seen. `problem` says
    what went wrong when it last looked, at `checked`.
    """

    format: str
    worker: str
    channel: str
    agent: str
    sequence: int
    newest: int
    arms: tuple[ArmStatus, ...]
    problem: str | None
    checked: str


def read_status(data: bytes | None) -> WorkerStatus | None:
    """What a worker has reported; nothing if it is not there or of another version."""
    try:
        return None if data is None else msgspec.json.decode(data, type=WorkerStatus)
    except ValueError:
        return None


def read_rollout(data: bytes | None) -> Rollout | None:
    """What was decided of a pointer's arms; nothing if nothing was.

    Raises:
        ControlError: it can't be read.
    """
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Rollout)
    except ValueError as error:
        told = ascii(str(error))[1:-1]
        raise ControlError(f"what was decided of a rollout can't be read: {told}") from error


def share(pointer: Pointer, rollout: Rollout, arm: Arm) -> int:
    """The percentage of sessions that an arm has now."""
    others = [one for one in pointer.arms[1:] if one.name not in rollout.stopped]
    if arm is pointer.stable:
        return 100 - sum(percent(pointer, rollout, one) for one in others)
    return percent(pointer, rollout, arm) if arm in others else 0
