"""What was recorded of an agent, as calls that can be judged again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from agentc_runtime.calls import Call
from agentc_runtime.expressions import Const
from agentc_runtime.history import PastCall, PastRefusal, PastRun
from agentc_runtime.labels import NOTHING_READ, Label, join
from agentc_runtime.origins import ORIGINS
from agentc_runtime.values import ABSENT, evaluate

from ..access import (
    Moment,
    Told,
    ToolAccess,
    Verdict,
    example_call,
    favourable,
    judged,
    moment,
    most_suspect,
    run_origins,
    sample_data,
)
from ..lowered import Lowered

#: What `Secrets.redact` leaves where a secret stood.
_COVER: Final = re.compile(r"\[secret [^\]\s]+\]")


@dataclass(frozen=True)
class Replay:
    """A call in one state at one moment, and what becomes of it as the specs are."""

    call: Call
    before: Verdict


@dataclass(frozen=True)
class Seen:
    """A call that was let through. `arguments` are those that the model gave, `None` when they are not known;
    `hidden` names those of them in which a secret stood, whose values are not known. `at` is the moment as
    it was, where that is known."""

    run: str
    tool: str
    arguments: Mapping[str, object] | None
    hidden: frozenset[str] = frozenset()
    at: Moment | None = None
    replays: tuple[Replay, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """The recorded runs that count, and their calls.

    `days` are the days on which the agent ran, `daily` the calls of each tool on each of them, the runs that
    are left out included. `others` counts runs of other bundles by digest. `refused` counts the calls that
    were refused, and `refusals` are those of them whose arguments were kept. `outside` counts the recorded
    calls that the specs refuse by now, by tool and code.
    """

    runs: tuple[str, ...]
    calls: tuple[Seen, ...]
    days: frozenset[str]
    daily: Mapping[str, Counter[str]]
    others: Mapping[str, int]
    refused: int
    refusals: tuple[Replay, ...]
    outside: Mapping[tuple[str, str], int]

    def of(self, tool: str) -> list[Seen]:
        """The calls of one tool."""
        return [call for call in self.calls if call.tool == tool]


def collect(lowered: Lowered, runs: Iterable[PastRun], digest: str, *, any_bundle: bool) -> Evidence:
    """The evidence about one agent: its runs of the bundle with this digest, or of any."""
    counted: dict[str, None] = {}
    calls: list[Seen] = []
    days: set[str] = set()
    daily: dict[str, Counter[str]] = {}
    others: Counter[str] = Counter()
    outside: Counter[tuple[str, str]] = Counter()
    refused = 0
    refusals: list[Replay] = []
    suspect = most_suspect(lowered.program)
    for run in runs:
        if run.agent != lowered.name or run.run_id in counted:
            continue
        if run.started:
            days.add(run.started[:10])
        for past in run.calls:
            if past.day:
                daily.setdefault(past.tool, Counter())[past.day] += 1
        if run.bundle != digest and not any_bundle:
            others[run.bundle] += 1
            continue
        counted[run.run_id] = None
        refused += len(run.refused)
        refusals += filter(None, (_refusal(lowered, one) for one in run.refused))
        for seen in _calls(lowered, run, suspect):
            if isinstance(seen, Seen):
                calls.append(seen)
            else:
                outside[seen] += 1
    return Evidence(
        runs=tuple(counted),
        calls=tuple(calls),
        days=frozenset(days),
        daily=daily,
        others=dict(sorted(others.items())),
        refused=refused,
        refusals=tuple(refusals),
        outside=dict(sorted(outside.items())),
    )


def _calls(lowered: Lowered, run: PastRun, suspect: Mapping[str, Label]) -> Iterator[Seen | tuple[str, str]]:
    """Each call of a run; its tool and the code where the specs refuse it by now."""
    trusted: list[object] = []
    approved: list[object] = []
    for past in run.calls:
        access = lowered.accesses.get(past.tool)
        if access is None:
            yield past.tool, "AR101"
            continue
        outputs = {step.state: step.output for step in run.steps if step.time <= past.claimed}
        told = Told(
            input=run.input, session=run.session, outputs=outputs, trusted=[*trusted], approved=[*approved]
        )
        yield _seen(lowered, run, past, access, told, suspect)
        _learn(lowered, past, access, told, trusted, approved)


def _seen(
    lowered: Lowered,
    run: PastRun,
    past: PastCall,
    access: ToolAccess,
    told: Told,
    suspect: Mapping[str, Label],
) -> Seen | tuple[str, str]:
    if past.arguments is None:
        return Seen(run.run_id, past.tool, None)
    given = {name: value for name, value in past.arguments.items() if name not in access.grant.bind}
    replays: list[Replay] = []
    code = "AR102"
    real: Moment | None = None
    for state in access.states if past.state is None else {past.state} & set(access.states):
        for known, at in _moments(lowered, past.arguments, access, state, told if past.whole else None):
            first = _replay(lowered, state, past.tool, given, at)
            code = first.before.code or code
            if first.before.outcome == "refused":
                continue
            tainted = replace(at, context=join(at.context, suspect.get(state, NOTHING_READ)))
            replays += [first, _replay(lowered, state, past.tool, given, tainted)]
            real = at if known else real
            break
    if not replays:
        return past.tool, code
    hidden = frozenset(name for name, value in given.items() if _is_hidden(value))
    return Seen(run.run_id, past.tool, given, hidden, real, tuple(replays))


def _moments(
    lowered: Lowered, arguments: Mapping[str, object], access: ToolAccess, state: str, told: Told | None
) -> Iterator[tuple[bool, Moment]]:
    """The moment of the call if it is known, and one at which as much as possible lets it through."""
    whole = dict(arguments)
    if told is not None:
        was = moment(lowered.program, state, access.tool.name, told)
        bound = {name: evaluate(expr, was.data) for name, expr in access.referred.items()}
        if all(value is not ABSENT and value == whole.get(name) for name, value in bound.items()):
            yield True, was
    else:
        data = sample_data(lowered.program, access)
        whole |= {name: evaluate(expr, data) for name, expr in access.referred.items()}
    best = favourable(lowered.program, access, state, whole)
    if best is not None:
        yield False, best


def _refusal(lowered: Lowered, past: PastRefusal) -> Replay | None:
    """A refused call whose arguments were kept, if the policy refuses it: not a person, nor a quota."""
    access = lowered.accesses.get(past.tool)
    if past.arguments is None or access is None:
        return None
    data = sample_data(lowered.program, access)
    call = Call(
        run_id="replay",
        call_id="call-1",
        state=past.state,
        name=past.tool,
        arguments=past.arguments,
        context=NOTHING_READ,
        data=data,
        origins=run_origins(lowered.program, data),
    )
    before = judged(lowered.judge.policy, call)
    return Replay(call, before) if before.outcome == "refused" else None


def _replay(lowered: Lowered, state: str, tool: str, given: Mapping[str, object], at: Moment) -> Replay:
    call = example_call(state, tool, given, context=at.context, data=at.data, origins=at.origins)
    return Replay(call, judged(lowered.judge.policy, call))


def _learn(
    lowered: Lowered,
    past: PastCall,
    access: ToolAccess,
    told: Told,
    trusted: list[object],
    approved: list[object],
) -> None:
    """What later calls of the run could trace their values to: never more than in the run itself.

    What had been read at a call is not recorded, so an answer counts only where that made no difference.
    """
    if past.answer is None or past.arguments is None:
        return
    origins = moment(lowered.program, "", past.tool, told).origins
    if past.answer.approved:
        approved.append(past.arguments)
        origins.add("approved", past.arguments)
    bind = access.grant.bind
    made_up = any(
        not isinstance(bind.get(name), Const) and not origins.stands_in(value, ORIGINS)
        for name, value in past.arguments.items()
    )
    if past.answer.label.trust == "trusted" and not made_up:
        trusted.append(past.answer.value)


def _is_hidden(value: object) -> bool:
    if isinstance(value, str):
        return _COVER.search(value) is not None
    if isinstance(value, Mapping):
        return any(_is_hidden(one) for one in (*value.keys(), *value.values()))
    return isinstance(value, list) and any(map(_is_hidden, value))
