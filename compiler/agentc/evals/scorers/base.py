"""What a scorer is given, and what it says."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agentc_runtime.quoting import shown

from ..case import Case
from ..observation import Call, Observation

if TYPE_CHECKING:
    from agentc_runtime.bundle import Program
    from agentc_runtime.secrets import Secrets

    from ..judging import Judge


@dataclass(frozen=True)
class Seen:
    """One run and the case that it was made for."""

    case: Case
    run: Observation
    program: Program
    secrets: Secrets
    judge: Judge


class Said(NamedTuple):
    """A verdict: a value from 0 to 1, whether that is enough, and why not (or how much)."""

    value: float
    passed: bool
    reason: str = ""


Scorer: TypeAlias = Callable[[Seen], "Said | Awaitable[Said]"]


def verdict(wrong: Sequence[str]) -> Said:
    """Passed when nothing is wrong."""
    return Said(0.0 if wrong else 1.0, not wrong, "; ".join(wrong))


class Missing(NamedTuple):
    """Why a `${…}` reference leads to no value in this run."""

    reason: str


def value_at(run: Observation, reference: str) -> object:
    """What stands at `${output…}` or `${states.S.output…}`, or `Missing`."""
    steps = reference[2:-1].split(".")
    if steps[0] == "states":
        found = run.output_of(steps[1])
        if found is None:
            return Missing(f"state `{steps[1]}` gave no output")
        value, rest = found[0], steps[3:]
    else:
        if run.status != "succeeded":
            return Missing(f"the run failed: {run.rule} {run.message}")
        value, rest = run.output, steps[1:]
    for step in rest:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return Missing(f"there is no `{reference}`")
    return value


def text_of(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def quoted(value: object) -> str:
    """A value in a reason: on one line, cut."""
    return shown(value)


def answers(run: Observation, tools: Sequence[str]) -> list[Call]:
    """The calls that were answered, of some tools or of all."""
    return [call for call in run.calls if call.status and not call.rule and (not tools or call.tool in tools)]
