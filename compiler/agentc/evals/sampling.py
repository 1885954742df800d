"""Which runs are worth a case: some of each way in which they went wrong, and some that went well."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .statistics import percentile

if TYPE_CHECKING:
    from agentc_runtime.history import PastRun

#: The families of failure modes, the rarest first: a run that fits several stands for the first of them.
MODES: Final = (
    "thumb-down", "corrected", "rejected", "guarded", "failed", "refused", "tool",
    "flaky", "slow", "expensive",
)  # fmt: skip
SUCCESS: Final = "success"
#: Rules of approvals, and of what guards data and answers.
_REJECTED: Final = frozenset({"AR205", "AR206"})
_GUARDS: Final = frozenset({"AR202", "AR207", "AR504", "AR511"})
#: What is slow or expensive: more than this share of the runs are below it.
_TAIL: Final = 0.95
#: Fewer runs than this have no tail.
_FEW: Final = 20


@dataclass(frozen=True)
class Picked:
    """A run of the sample, with the mode that it stands for and all that it fits."""

    run: PastRun
    mode: str
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """What was picked, and of each mode how many runs there are."""

    picked: tuple[Picked, ...]
    found: Mapping[str, int]


def modes_of(runs: Sequence[PastRun]) -> dict[str, tuple[str, ...]]:
    """Run id → its failure modes, none for a run that went well. Runs that are not over have none either."""
    over = [run for run in runs if run.ended]
    slow = _tail([_seconds(run) for run in over])
    dear = _tail([run.tokens for run in over if run.tokens is not None])
    flaky = _flaky(over)
    found: dict[str, tuple[str, ...]] = {}
    for run in over:
        modes = set(_told(run)) | set(_done(run))
        if run.run_id in flaky:
            modes.add("flaky")
        if slow is not None and _seconds(run) > slow:
            modes.add("slow")
        if dear is not None and run.tokens is not None and run.tokens > dear:
            modes.add("expensive")
        found[run.run_id] = tuple(sorted(modes, key=_rank))
    return found


def sample(
    runs: Sequence[PastRun],
    *,
    each: int,
    successes: float,
    seed: int,
    wanted: Collection[str] = (),
    known: Collection[str] = (),
) -> Sample:
    """`each` runs of every failure mode, and runs that went well as a share `successes` of the whole.

    `wanted` are modes or families of modes, all when there are none; `known` are runs that are cases already.
    The same runs and seed give the same sample.
    """
    modes = modes_of(runs)
    by_id = {run.run_id: run for run in runs}
    members: dict[str, list[str]] = defaultdict(list)
    for run_id, fits in modes.items():
        for mode in fits or (SUCCESS,):
            members[mode].append(run_id)
    asked = [
        mode
        for mode in sorted(members, key=_rank)
        if mode != SUCCESS and (not wanted or mode in wanted or family(mode) in wanted)
    ]
    picked: list[Picked] = []
    taken = set(known)
    for mode in asked:
        already = sum(mode in modes.get(one.run.run_id, ()) for one in picked)
        fresh = [run_id for run_id in _shuffled(members[mode], seed) if run_id not in taken]
        for run_id in fresh[: max(0, each - already)]:
            picked.append(Picked(by_id[run_id], mode, modes[run_id]))
            taken.add(run_id)
    good = [run_id for run_id in _shuffled(members.get(SUCCESS, ()), seed) if run_id not in taken]
    count = each if not picked else math.ceil(len(picked) * successes / (1 - successes))
    picked += [Picked(by_id[run_id], SUCCESS, ()) for run_id in good[: count if successes else 0]]
    counted = {mode: len(members[mode]) for mode in (*asked, SUCCESS) if mode in members}
    return Sample(tuple(picked), counted)


def family(mode: str) -> str:
    """What a mode is one of: `failed` of `failed-ar502`."""
    return next((one for one in MODES if mode == one or mode.startswith(f"{one}-")), mode)


def _told(run: PastRun) -> Iterable[str]:
    for said in run.said:
        if said.thumb == "down":
            yield "thumb-down"
        if said.correction is not None:
            yield "corrected"


def _done(run: PastRun) -> Iterable[str]:
    codes = {refusal.code for refusal in run.refused} | ({run.refusal} if run.refusal else set())
    if codes & _REJECTED:
        yield "rejected"
    if codes & _GUARDS:
        yield "guarded"
    if run.status == "failed":
        yield f"failed-{run.refusal.lower()}" if run.refusal else "failed"
    for refusal in run.refused:
        if refusal.code[:3] in ("AR1", "AR2") and refusal.code not in _REJECTED | _GUARDS:
            yield f"refused-{refusal.code.lower()}"
    for call in run.calls:
        if call.code is not None:
            yield f"tool-{call.code.lower()}"


def _flaky(runs: Iterable[PastRun]) -> set[str]:
    """Runs with the same to do that ended in another way."""
    ends: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        task = json.dumps([run.agent, run.input, run.session], sort_keys=True)
        output = run.output
        # sentences differ from run to run; what the workflow decides on does not
        short = {name: value for name, value in output.items() if not _sentence(value)} if isinstance(
            output, dict
        ) else None  # fmt: skip
        ends[task][json.dumps([run.status, run.refusal, short], sort_keys=True)].append(run.run_id)
    return {one for found in ends.values() if len(found) > 1 for many in found.values() for one in many}


def _sentence(value: object) -> bool:
    return isinstance(value, str) and " " in value


def _tail(figures: Sequence[float]) -> float | None:
    return percentile(figures, _TAIL) if len(figures) >= _FEW else None


def _seconds(run: PastRun) -> float:
    return (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()


def _rank(mode: str) -> tuple[int, str]:
    known = family(mode)
    return (MODES.index(known) if known in MODES else len(MODES)), mode


def _shuffled(ids: Iterable[str], seed: int) -> list[str]:
    """An order by chance in which every run has its place whatever others there are."""
    return sorted(ids, key=lambda run_id: hashlib.sha256(f"{seed}\0{run_id}".encode()).digest())
