"""The answer to a question about one call, as values: verdicts by state, and what comes out otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from agentc_runtime import bundle as ir
from agentc_runtime import labels, workflow
from agentc_runtime.expressions import Ref
from agentc_runtime.labels import NOTHING_READ
from agentc_runtime.strictjson import StrictJsonError, parse
from agentc_runtime.values import ABSENT, lookup, references

from ..access import (
    Judge,
    Moment,
    Told,
    ToolAccess,
    Verdict,
    arguments_of_state,
    as_json,
    moment,
    most_suspect,
    outputs_in,
    plant,
    sample_data,
    schemas_at,
    sent,
    sent_unasked,
    some_value,
)
from ..grant_words import flow_in_words, limits_of_grant
from ..subsumption import Union
from .examples import Example, examples
from .nearest import nearest

#: Refusals that other arguments would avoid.
_BY_ARGUMENTS = frozenset({"AR104", "AR105", "AR201", "AR304"})


@dataclass(frozen=True)
class Question:
    """A call of `tool` (its full name): with these `arguments`, as JSON text, or `None` for any; in `state`,
    or `None` for all; after `read`, or `None` for both the least and the most that may have been read."""

    tool: str
    arguments: str | None = None
    state: str | None = None
    read: labels.Label | None = None
    input: object = None
    session: object = None


@dataclass(frozen=True)
class Answer:
    """What becomes of the call in `states`, after data with the label `read`.

    `otherwise` are the nearest arguments that come out better, with what becomes of those.
    """

    states: tuple[str, ...]
    read: labels.Label
    arguments: str
    verdict: Verdict
    otherwise: Mapping[str, object] | None = None
    then: Verdict | None = None


@dataclass(frozen=True)
class Why:
    """All that is to be said. `limits` and `examples` are there when no arguments were given, `assumed` is
    the data that was made up: path → value."""

    agent: ir.AgentInfo
    tool: str
    granted: bool
    states: tuple[str, ...]
    answers: tuple[Answer, ...]
    limits: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    assumed: Mapping[str, object] | None = None


def explain(judge: Judge, accesses: Mapping[str, ToolAccess], question: Question) -> Why:
    """What the broker says of the call that the question is about."""
    program, access = judge.program, accesses.get(question.tool)
    told, assumed = _told(program, access, question)
    asked = _Asked(judge, access, question, told)
    states = () if access is None else access.states
    why = Why(program.agent, question.tool, access is not None, states, (), assumed=assumed)
    if access is None or question.arguments is not None:
        answers = sorted(asked.answers(), key=lambda one: one.states[0] not in states)
        return replace(why, answers=tuple(_grouped(answers)))
    others = [name for name in _calling(program, question.state) if name not in states]
    elsewhere = [asked.answer(name, NOTHING_READ, "{}") for name in others]
    chosen = [name for name in states if question.state in (None, name)]
    shown = tuple(
        one for name in chosen[:1] for one in examples(judge, access, name, question.read or NOTHING_READ)
    )
    sent_by_states = [one for name in chosen for one in asked.by_state(name)]
    return replace(
        why,
        answers=tuple(_grouped([*sent_by_states, *elsewhere])),
        limits=tuple(_in_words(access)),
        examples=shown,
    )


class _Asked:
    """One question, asked state by state."""

    def __init__(self, judge: Judge, access: ToolAccess | None, question: Question, told: Told) -> None:
        self._judge, self._access, self._question, self._told = judge, access, question, told
        self._worst = most_suspect(judge.program)

    def answers(self) -> Iterator[Answer]:
        """The call with the arguments of the question, in each state and after each reading."""
        given = "{}" if self._question.arguments is None else self._question.arguments
        for state in _calling(self._judge.program, self._question.state):
            yield from self._after_readings(state, given)

    def by_state(self, state: str) -> Iterator[Answer]:
        """The call that a `tool` state makes by itself; nothing for one whose model chooses."""
        at = self._moment(state, NOTHING_READ)
        given = arguments_of_state(self._judge.program, state, self._question.tool, at.data)
        if given is not None:
            yield from self._after_readings(state, given)

    def _after_readings(self, state: str, arguments: str) -> Iterator[Answer]:
        if self._question.read is not None:
            yield self.answer(state, self._question.read, arguments)
            return
        first = self.answer(state, NOTHING_READ, arguments)
        yield first
        worst = self._worst[state]
        if worst.trust != "trusted" and first.verdict.outcome != "refused":
            then = self.answer(state, worst, arguments)
            if then.verdict != first.verdict:
                yield then

    def answer(self, state: str, read: labels.Label, arguments: str) -> Answer:
        """What becomes of the call in one state after one reading."""
        at = self._moment(state, read)
        verdict = self._judge.verdict(state, self._question.tool, arguments, at)
        answer = Answer((state,), at.context, arguments, verdict)
        if self._access is None or (given := _object(arguments)) is None:
            return answer
        region = None
        program = self._judge.program
        if verdict.outcome == "refused" and verdict.code in _BY_ARGUMENTS:
            region = sent(program, self._access)
        elif verdict.outcome == "asks":
            region = sent_unasked(program, self._access, at.context)
        better = None if region is None else nearest(region, self._access, given, at.data)
        if better is None:
            return answer
        then = self._judge.verdict(state, self._question.tool, as_json(better), at)
        return (
            answer
            if then.outcome in ("refused", verdict.outcome)
            else replace(answer, otherwise=better, then=then)
        )

    def _moment(self, state: str, read: labels.Label) -> Moment:
        return moment(self._judge.program, state, self._question.tool, replace(self._told, read=read))


def _calling(program: ir.Program, state: str | None) -> list[str]:
    """The states that may call a tool; the one that is asked about, whatever it is."""
    if state is not None:
        return [state]
    return [
        name
        for name, spec in program.states.items()
        if isinstance(spec, workflow.AgentState | workflow.ToolState)
    ]


def _grouped(answers: Iterable[Answer]) -> Iterator[Answer]:
    """Answers that say the same of several states, as one."""
    groups: dict[object, Answer] = {}
    for one in answers:
        verdict = one.verdict
        key: object = verdict.code
        if verdict.code not in ("AR101", "AR102"):  # their messages name the state
            key = (verdict.outcome, verdict.code, verdict.message, verdict.reasons, one.read, one.arguments)
        known = groups.get(key)
        groups[key] = one if known is None else replace(known, states=(*known.states, *one.states))
    yield from groups.values()


def _told(
    program: ir.Program, access: ToolAccess | None, question: Question
) -> tuple[Told, Mapping[str, object]]:
    """The run's data: what was given, and for all else that the call refers to a value that fits, by path."""
    if access is None:
        return Told(input=question.input, session=question.session), {}
    data = sample_data(program, access)
    whole = some_value(sent(program, access))
    for name, expr in access.referred.items():
        if isinstance(expr, Ref) and isinstance(whole, dict):
            plant(data, expr.path, whole.get(name))
    read = {path for expr in access.referred.values() for path in references(expr)}
    for spec in (program.states[name] for name in access.states):
        for expr in spec.arguments.values() if isinstance(spec, workflow.ToolState) else ():
            for path in references(expr):
                read.add(path)
                if lookup(path, data) is ABSENT:
                    plant(data, path, some_value(Union(tuple(schemas_at(program, path)) or (True,))))
    given = {"input": question.input, "session": question.session}
    data |= {root: value for root, value in given.items() if value is not None}
    assumed = {".".join(path): lookup(path, data) for path in sorted(read) if given.get(path[0]) is None}
    return Told(input=data["input"], session=data["session"], outputs=outputs_in(data)), assumed


def _object(text: str) -> dict[str, object] | None:
    try:
        value = parse(text)
    except StrictJsonError:
        return None
    return value if isinstance(value, dict) else None


def _in_words(access: ToolAccess) -> Iterator[str]:
    yield from limits_of_grant(access.grant)
    yield from flow_in_words(access.tool, access.grant)
