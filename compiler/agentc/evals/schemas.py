"""The schemas that evals hold, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..resources import Step
from ..schema_places import SchemaPlace
from ..syntax.common import Closed
from ..syntax.eval import EvalCaseSpec, EvalSpec, MockAnswerSpec
from ..syntax.scorers import EffectsScorer, RegexScorer, SchemaScorer, ScorerSpec, ToolsScorer


def places_of_eval(spec: Closed) -> Iterator[SchemaPlace]:
    """Where an eval has schemas."""
    assert isinstance(spec, EvalSpec)
    yield from _of_answers(spec.mock, ())
    yield from _of_scorers(spec.scorers, ("scorers",))
    for index, case in enumerate(spec.cases):
        yield from places_of_case(case, ("cases", index))


def places_of_case(case: EvalCaseSpec, path: tuple[Step, ...] = ()) -> Iterator[SchemaPlace]:
    """Where a case of an eval has schemas."""
    yield from _of_answers(case.mock, path)
    yield from _of_scorers(case.assert_, (*path, "assert"))


def _of_answers(answers: Sequence[MockAnswerSpec], path: tuple[Step, ...]) -> Iterator[SchemaPlace]:
    for index, answer in enumerate(answers):
        for argument in answer.arguments:
            yield SchemaPlace((*path, "mock", index, "arguments", argument))


def _of_scorers(scorers: Sequence[ScorerSpec], path: tuple[Step, ...]) -> Iterator[SchemaPlace]:
    for index, scorer in enumerate(scorers):
        at = (*path, index)
        if isinstance(scorer, SchemaScorer):
            yield SchemaPlace((*at, "schema"), references=True)
        elif isinstance(scorer, RegexScorer):
            yield SchemaPlace((*at, "pattern"), pattern=True)
        elif isinstance(scorer, ToolsScorer | EffectsScorer):
            key, calls = ("calls", scorer.calls) if isinstance(scorer, ToolsScorer) else ("made", scorer.made)
            for number, call in enumerate(calls):
                for argument in call.arguments:
                    yield SchemaPlace((*at, key, number, "arguments", argument))
