"""The cases of permission tests, carried out: each call in each of its states, judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentc_runtime.labels import Label
from agentc_runtime.workflow import AgentState, ToolState, tools_of

from ..access import Judge, Moment, Told, Verdict, arguments_of_state, as_json, moment
from ..lowered import Lowered
from ..resources import Resource
from ..syntax.permission_test import CaseSpec, ExpectSpec, PermissionTestSpec


@dataclass(frozen=True)
class Trial:
    """One case in one state: the call, and the moment in a run at which it is made."""

    test: Resource[PermissionTestSpec]
    index: int
    state: str
    arguments: str
    moment: Moment

    @property
    def case(self) -> CaseSpec:
        """The case."""
        return self.test.spec.cases[self.index]

    def verdict(self, judge: Judge) -> Verdict:
        """What becomes of the call."""
        used = self.case.used
        return judge.verdict(
            self.state,
            self.case.tool,
            self.arguments,
            self.moment,
            in_run=used.per_run,
            in_day=max(used.per_day, used.per_run),
        )


def trials(lowered: Lowered, test: Resource[PermissionTestSpec]) -> Iterator[Trial]:
    """What the test of this agent tries, in the order of its cases. Misstated grants are not tried."""
    for index, case in enumerate(test.spec.cases):
        if case.tool in lowered.misstated:
            continue
        told = Told(
            read=Label(trust=case.read.trust, sensitivity=case.read.sensitivity),
            input=test.spec.input if case.input is None else case.input,
            session=test.spec.session if case.session is None else case.session,
            outputs=case.outputs,
            trusted=case.origins.trusted,
            approved=case.origins.approved,
        )
        for state in _states(lowered, case):
            at = moment(lowered.program, state, case.tool, told)
            given = None if case.arguments is None else as_json(case.arguments)
            if given is None:
                given = arguments_of_state(lowered.program, state, case.tool, at.data) or "{}"
            yield Trial(test, index, state, given, at)


def failures(judge: Judge, tried: Iterator[Trial]) -> Iterator[tuple[Trial, Verdict, tuple[str, ...]]]:
    """The cases that come out otherwise than expected, each once: with the states in which they do."""
    failed: dict[int, list[tuple[Trial, Verdict]]] = {}
    for trial in tried:
        verdict = trial.verdict(judge)
        if not meets(verdict, trial.case.expect):
            failed.setdefault(trial.index, []).append((trial, verdict))
    for found in failed.values():
        trial, verdict = found[0]
        yield trial, verdict, tuple(one.state for one, _ in found)


def meets(verdict: Verdict, expect: ExpectSpec) -> bool:
    """Whether a call came out as expected."""
    return (
        verdict.outcome == expect.outcome
        and expect.rule in (None, verdict.code)
        and (expect.by is None or set(expect.by) == set(verdict.by))
        and (expect.because is None or expect.because in verdict.because)
    )


def _states(lowered: Lowered, case: CaseSpec) -> list[str]:
    if case.state is not None:
        return [case.state]
    states = lowered.program.states
    having = [name for name, spec in states.items() if case.tool in tools_of(spec)]
    return having or [name for name, spec in states.items() if isinstance(spec, AgentState | ToolState)]
