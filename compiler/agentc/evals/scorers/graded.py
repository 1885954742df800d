"""Scorers that ask a model."""

from __future__ import annotations

import json

from ...syntax.scorers import PairwiseScorer, RubricScorer
from .base import Missing, Said, Scorer, Seen, text_of, value_at


def rubric(spec: RubricScorer) -> Scorer:
    """A model grades the text by criteria."""

    async def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        said = await seen.judge.grade(spec.model, spec.criteria, task_of(seen), text_of(value))
        return Said(
            (said.grade - 1) / 4,
            said.grade >= spec.threshold,
            f"`{spec.model}` graded {said.grade} of 5: {said.reason}",
        )

    return score


def pairwise(spec: PairwiseScorer) -> Scorer:
    """A model compares the text with another one."""

    async def score(seen: Seen) -> Said:
        value = value_at(seen.run, spec.of)
        if isinstance(value, Missing):
            return Said(0, False, value.reason)
        other = seen.case.spec.expected if spec.value is None else spec.value
        said = await seen.judge.compare(
            spec.model, spec.criteria, task_of(seen), text_of(value), text_of(other)
        )
        score = {"text": 1.0, "equal": 0.5, "other": 0.0}[said.better]
        how = {"text": "wins", "equal": "ties", "other": "loses"}[said.better]
        unsteady = "" if said.steady else " (the judge changed its mind with the places)"
        enough = score == 1.0 or (score == 0.5 and spec.at_least == "tie")
        return Said(score, enough, f"by `{spec.model}` it {how}{unsteady}: {said.reason}")

    return score


def task_of(seen: Seen) -> str:
    """What the agent was given, as a judge is told."""
    return json.dumps(dict(seen.case.input), ensure_ascii=False, sort_keys=True)
