"""The cases in pydantic-evals: a task that answers from the recording, and five evaluators."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from jsonschema_rs import Draft202012Validator
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import Evaluator, EvaluatorContext
from rapidfuzz import fuzz

DATA = json.loads(Path(sys.argv[1]).read_text())
RECORDED = {row["message"]: row["recorded"] for row in DATA["rows"]}
VALIDATOR = Draft202012Validator(DATA["schema"])


@dataclass
class Exact(Evaluator):
    def evaluate(self, ctx: EvaluatorContext) -> bool:
        return ctx.output == ctx.expected_output


@dataclass
class Has(Evaluator):
    def evaluate(self, ctx: EvaluatorContext) -> bool:
        return "order" in ctx.output["text"]


@dataclass
class Pattern(Evaluator):
    def evaluate(self, ctx: EvaluatorContext) -> bool:
        return re.fullmatch(r".*order [0-9]+.*", ctx.output["text"]) is not None


@dataclass
class Schema(Evaluator):
    def evaluate(self, ctx: EvaluatorContext) -> bool:
        return VALIDATOR.is_valid(ctx.output)


@dataclass
class Similar(Evaluator):
    def evaluate(self, ctx: EvaluatorContext) -> bool:
        return fuzz.ratio("I have looked at order 1 and it is on its way.", ctx.output["text"]) > 50


async def task(message: str) -> dict[str, str]:
    return json.loads(RECORDED[message])


dataset = Dataset(
    name="sorting",
    cases=[
        Case(name=f"c{row['id']}", inputs=row["message"], expected_output=row["expected"])
        for row in DATA["rows"]
    ],
    evaluators=[Exact(), Has(), Pattern(), Schema(), Similar()],
)
report = dataset.evaluate_sync(task, progress=False, max_concurrency=int(sys.argv[3]))
assert len(report.cases) == len(DATA["rows"])
assert report.averages().assertions == 1.0
