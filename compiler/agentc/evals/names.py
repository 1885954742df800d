"""The names that evals use, each with its place: for the check that they lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ..resources import Step
from ..syntax.eval import EvalCaseSpec, EvalSpec, MockAnswerSpec
from ..syntax.scorers import (
    ApprovalsScorer,
    CitationsScorer,
    EffectsScorer,
    EmbeddingScorer,
    ExpectedCall,
    GroundedScorer,
    ScorerSpec,
    StatesScorer,
    ToolsScorer,
)
from .case import judge_of


class Named(NamedTuple):
    """A name and its path below the eval's spec or the case. `forbidden`: the name of what must not be there,
    which may be a tool that the agent is not granted. `embeds`: a model that has to make embeddings."""

    kind: Literal["tool", "state", "model"]
    name: str
    path: tuple[Step, ...]
    forbidden: bool = False
    key: bool = False
    embeds: bool = False


def named_in_eval(spec: EvalSpec) -> Iterator[Named]:
    """The names in what all cases share."""
    yield from _approved(spec.defaults.approve, ("defaults", "approve"))
    yield from _mocked(spec.mock, ("mock",))
    for index, scorer in enumerate(spec.scorers):
        yield from named_in_scorer(scorer, ("scorers", index))


def named_in_case(case: EvalCaseSpec) -> Iterator[Named]:
    """The names in one case."""
    yield from _approved(case.approve, ("approve",))
    yield from _mocked(case.mock, ("mock",))
    for index, scorer in enumerate(case.assert_):
        yield from named_in_scorer(scorer, ("assert", index))


def named_in_scorer(scorer: ScorerSpec, path: tuple[Step, ...]) -> Iterator[Named]:
    """The names in one scorer."""
    match scorer:
        case ToolsScorer():
            yield from _tools(scorer.called, (*path, "called"))
            yield from _tools(scorer.not_called, (*path, "not_called"), forbidden=True)
            yield from _tools(scorer.only or (), (*path, "only"), forbidden=True)
            yield from _tools(scorer.order, (*path, "order"))
            yield from _calls(scorer.calls, (*path, "calls"))
        case StatesScorer():
            for key, names in (("visited", scorer.visited), ("not_visited", scorer.not_visited)):
                for index, name in enumerate(names):
                    yield Named("state", name, (*path, key, index))
            if scorer.end is not None:
                yield Named("state", scorer.end, (*path, "end"))
        case ApprovalsScorer():
            yield from _tools(scorer.asked, (*path, "asked"))
            yield from _tools(scorer.not_asked, (*path, "not_asked"), forbidden=True)
        case EffectsScorer():
            yield from _calls(scorer.made, (*path, "made"))
            yield from _tools(scorer.only or (), (*path, "only"), forbidden=True)
        case GroundedScorer() | CitationsScorer():
            yield from _tools(scorer.in_, (*path, "in"))
        case _:
            pass
    model = judge_of(scorer)
    if model is not None:
        embeds = isinstance(scorer, EmbeddingScorer | GroundedScorer)
        yield Named("model", model, (*path, "model"), embeds=embeds)
    of = getattr(scorer, "of", "")
    if of.startswith("${states."):
        yield Named("state", of.split(".")[1], (*path, "of"))


def _tools(names: Sequence[str], path: tuple[Step, ...], *, forbidden: bool = False) -> Iterator[Named]:
    for index, name in enumerate(names):
        yield Named("tool", name, (*path, index), forbidden)


def _calls(calls: Sequence[ExpectedCall], path: tuple[Step, ...]) -> Iterator[Named]:
    for index, call in enumerate(calls):
        yield Named("tool", call.tool, (*path, index, "tool"), forbidden=call.max == 0)


def _mocked(answers: Sequence[MockAnswerSpec], path: tuple[Step, ...]) -> Iterator[Named]:
    for index, answer in enumerate(answers):
        yield Named("tool", answer.tool, (*path, index, "tool"))


def _approved(approve: str | Sequence[str] | None, path: tuple[Step, ...]) -> Iterator[Named]:
    if approve is not None and not isinstance(approve, str):
        yield from _tools(approve, path)
