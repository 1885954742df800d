"""How a channel's arms do: which session gets which, what they have been like, and when one is stopped.

Pure: from a pointer, counts and what was decided before to what is decided now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ..events import RunEnded
from ..expressions import Record
from .channel import Arm, Gate, Pointer


class Counts(Record, frozen=True, kw_only=True):
    """What runs of an arm were like. Runs that were cancelled do not count."""

    runs: int = 0
    failed: int = 0
    calls: int = 0
    refused: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    scored: int = 0
    score: float = 0.0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            runs=self.runs + other.runs,
            failed=self.failed + other.failed,
            calls=self.calls + other.calls,
            refused=self.refused + other.refused,
            cost_usd=self.cost_usd + other.cost_usd,
            seconds=self.seconds + other.seconds,
            scored=self.scored + other.scored,
            score=self.score + other.score,
        )


class Rollout(Record, frozen=True, kw_only=True):
    """What became of a pointer's arms: which are stopped and why, and how many of its waves are over."""

    sequence: int
    stopped: dict[str, str] = {}
    waves: int = 0


def counted(event: RunEnded) -> Counts:
    """A run that has ended, as counts."""
    return Counts(
        runs=1,
        failed=int(event.status != "succeeded"),
        calls=event.calls,
        refused=event.refused,
        cost_usd=float(event.cost_usd or 0),
        seconds=event.seconds,
    )


def total(counts: Iterable[Counts]) -> Counts:
    """All together."""
    sum_ = Counts()
    for one in counts:
        sum_ = sum_.plus(one)
    return sum_


def both(one: Rollout, other: Rollout) -> Rollout:
    """What two workers have decided of one pointer."""
    return Rollout(
        sequence=other.sequence,
        stopped={**one.stopped, **other.stopped},
        waves=max(one.waves, other.waves),
    )


def choose(pointer: Pointer, rollout: Rollout, sticky: str) -> Arm:
    """The arm for a session: the same one as long as it runs and its share does not shrink."""
    said = hashlib.sha256(f"{pointer.agent}\0{sticky}".encode()).digest()
    place = int.from_bytes(said[:8]) / 2**64 * 100
    for arm in pointer.arms[1:]:
        place -= percent(pointer, rollout, arm)
        if place < 0:
            return pointer.stable if arm.name in rollout.stopped else arm
    return pointer.stable


def percent(pointer: Pointer, rollout: Rollout, arm: Arm) -> int:
    """The share of sessions that an arm has now, in percent, unless it is stopped."""
    if pointer.waves and arm is not pointer.stable:
        return pointer.waves[min(rollout.waves, len(pointer.waves) - 1)]
    return arm.percent


def decide(pointer: Pointer, rollout: Rollout, counts: dict[str, Counts]) -> Rollout:
    """What is stopped now, and whether the next wave begins."""
    stopped = dict(rollout.stopped)
    for arm in pointer.arms[1:]:
        if arm.name in stopped:
            continue
        for gate in pointer.gates:
            why = broken(gate, counts.get(arm.name, Counts()), pointer.min_runs)
            if why is not None:
                stopped[arm.name] = why
                break
    waves = rollout.waves
    if pointer.waves and not stopped:
        runs = counts.get(pointer.arms[1].name, Counts()).runs
        waves = max(waves, min(len(pointer.waves) - 1, runs // pointer.min_runs))
    return Rollout(sequence=pointer.sequence, stopped=stopped, waves=waves)


def broken(gate: Gate, counts: Counts, min_runs: int) -> str | None:
    """Why a gate does not hold, once that is known: after `min_runs` runs, or when no more could mend it."""
    seen = f"after {counts.runs} runs"
    if gate.metric == "error_rate" and gate.at_most is not None:
        # as if all that are still to come went well
        value: float | None = counts.failed / max(counts.runs, min_runs)
    elif counts.runs < min_runs:
        return None
    else:
        value = _average(gate, counts)
    if value is None:
        return None
    if gate.at_most is not None and value > gate.at_most:
        return f"`{gate.metric}` is {value:.4g}, more than {gate.at_most:g}, {seen}"
    if gate.at_least is not None and value < gate.at_least:
        return f"`{gate.metric}` is {value:.4g}, less than {gate.at_least:g}, {seen}"
    return None


def _average(gate: Gate, counts: Counts) -> float | None:
    match gate.metric:
        case "error_rate":
            return counts.failed / counts.runs
        case "refusal_rate":
            return counts.refused / counts.calls if counts.calls else 0.0
        case "cost_usd":
            return counts.cost_usd / counts.runs
        case "seconds":
            return counts.seconds / counts.runs
        case "score":
            return counts.score / counts.scored if counts.scored else None
