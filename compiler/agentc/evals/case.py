"""One case, and all of an eval. Checks import this for every project: the models of evals are not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from ..diagnostics import Span
from ..resources import Resource, Step

if TYPE_CHECKING:
    from ..program import Program
    from ..syntax.eval import EvalCaseSpec, EvalSpec
    from ..syntax.scorers import ScorerSpec

#: Metrics that a case has by itself, and that can be compared pair by pair.
COMPARED: Final = frozenset({"pass_rate", "latency_p50", "latency_p95", "cost_usd", "cost_per_success"})
#: Metrics that are known for the cases of one tag.
SLICED: Final = frozenset({"pass_rate"})


class Problem(NamedTuple):
    """What is wrong with a file of cases or a row of one."""

    span: Span
    message: str
    help: str | None = None


@dataclass(frozen=True)
class Case:
    """One case with the input and the session that its run gets. `index` is its place in the spec, if it
    stands there; `span` is its place in the spec or the file."""

    spec: EvalCaseSpec
    input: Mapping[str, object]
    session: Mapping[str, object]
    span: Span
    index: int | None = None

    @property
    def id(self) -> str:
        """The case's name."""
        return self.spec.id

    @property
    def counts(self) -> bool:
        """Whether it counts for gates: what nobody has looked at does not."""
        origin = self.spec.origin
        return origin.source == "person" or origin.accepted_by is not None


class CaseSet(NamedTuple):
    """The cases of an eval, and what is wrong with its files."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def at_case(one: Resource[EvalSpec], case: Case, *path: Step, key: bool = False) -> Span:
    """The span of something in a case; a row of a file is one place."""
    return case.span if case.index is None else one.span("cases", case.index, *path, key=key)


def cases_of(program: Program, one: Resource[EvalSpec]) -> CaseSet:
    """The cases of an eval of the program, and what is wrong with its files."""
    return program.cases[one.name]


def scorers_of(one: Resource[EvalSpec], case: Case) -> tuple[ScorerSpec, ...]:
    """What is measured of a case: the eval's scorers, then its own."""
    return one.spec.scorers + case.spec.assert_


def judge_of(spec: ScorerSpec) -> str | None:
    """The model of the project that a scorer asks, if it asks one."""
    model: str | None = getattr(spec, "model", None)
    return model


def name_of(spec: ScorerSpec) -> str:
    """What a scorer is called in reports."""
    return spec.name or spec.type
