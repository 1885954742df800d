"""What one run of a case did, as plain data: what scorers read and what a report keeps."""

from __future__ import annotations

from typing import Literal

import msgspec


class _Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Call(_Kept, frozen=True, kw_only=True):
    """One call of a tool. `arguments` are those that were sent, bound ones included, if it came to that, else
    what the model gave. `answer` is the projected body, `rule` what refused it. `sent` says that the service
    was asked, and `asked` that a person was."""

    state: str
    tool: str
    arguments: object
    effect: str = ""
    status: int = 0
    answer: object = None
    trust: str = ""
    sensitivity: str = ""
    rule: str = ""
    message: str = ""
    at: str = ""
    sent: bool = False
    asked: bool = False
    approved: bool = False
    seconds: float = 0.0


class Turn(_Kept, frozen=True, kw_only=True):
    """One answer of a model, with how many calls it proposed."""

    state: str
    model: str
    text: str
    calls: int = 0
    input: int = 0
    output: int = 0
    cost_usd: str | None = None
    seconds: float = 0.0


class Check(_Kept, frozen=True, kw_only=True):
    """An answer that was held against the schema of its state's output."""

    state: str
    model: str
    valid: bool
    reason: str = ""


class Visit(_Kept, frozen=True, kw_only=True):
    """A state that was entered. `output` is what it gave, `rule` why it failed, `next` where it went."""

    state: str
    type: str
    output: object = None
    gave: bool = False
    rule: str = ""
    message: str = ""
    at: str = ""
    next: str = ""


class Observation(_Kept, frozen=True, kw_only=True):
    """One run. `problem` says why there is none: it could not be carried out, or its recording is `stale`.

    `cost_usd` is `None` when a model without prices was used. `rule`, `message` and `at` say what stopped it.
    """

    status: Literal["succeeded", "failed", "stale", "broken"]
    problem: str = ""
    output: object = None
    rule: str = ""
    message: str = ""
    at: str = ""
    visits: tuple[Visit, ...] = ()
    calls: tuple[Call, ...] = ()
    turns: tuple[Turn, ...] = ()
    checks: tuple[Check, ...] = ()
    tokens: int = 0
    cost_usd: str | None = None
    seconds: float = 0.0

    @property
    def ran(self) -> bool:
        """Whether there is a run to measure."""
        return self.status in ("succeeded", "failed")

    def output_of(self, state: str) -> tuple[object] | None:
        """The last output of a state, `None` when it gave none."""
        return next(((one.output,) for one in reversed(self.visits) if one.state == state and one.gave), None)


class Score(_Kept, frozen=True, kw_only=True):
    """What a scorer says: a value from 0 to 1, whether that is enough, and why."""

    scorer: str
    value: float
    passed: bool
    reason: str = ""
    required: bool = True


class Trial(_Kept, frozen=True, kw_only=True):
    """One run of one case with its scores. `key` is the digest of what it depends on; `bundle` that of the
    bundle of `agent`, which was run."""

    case: str
    repeat: int
    tags: tuple[str, ...] = ()
    counts: bool = True
    observation: Observation
    scores: tuple[Score, ...] = ()
    key: str = ""
    agent: str = ""
    bundle: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran and every required scorer is content."""
        return self.observation.ran and all(score.passed for score in self.scores if score.required)
