"""The cases in inspect_ai: a model that answers from the recording, and five scorers."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from inspect_ai import Task, eval  # noqa: A004
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    modelapi,
)
from inspect_ai.scorer import Score, Target, accuracy, scorer
from inspect_ai.solver import TaskState, generate
from jsonschema_rs import Draft202012Validator
from rapidfuzz import fuzz

DATA = json.loads(Path(sys.argv[1]).read_text())
RECORDED = {row["message"]: row["recorded"] for row in DATA["rows"]}
VALIDATOR = Draft202012Validator(DATA["schema"])


@modelapi(name="recorded")
class Recorded(ModelAPI):
    async def generate(self, input, tools, tool_choice, config: GenerateConfig) -> ModelOutput:  # noqa: A002
        text = RECORDED[input[-1].text]
        message = ChatMessageAssistant(content=text, source="generate")
        return ModelOutput(
            model="recorded", choices=[ChatCompletionChoice(message=message, stop_reason="stop")]
        )


def of(check):
    def make():
        async def score(state: TaskState, target: Target) -> Score:
            value = json.loads(state.output.completion)
            return Score(value="C" if check(value, target.text) else "I")

        return score

    return make


CHECKS = {
    "exact": lambda value, target: value == json.loads(target),
    "contains": lambda value, target: "order" in value["text"],
    "pattern": lambda value, target: re.fullmatch(r".*order [0-9]+.*", value["text"]) is not None,
    "schema": lambda value, target: VALIDATOR.is_valid(value),
    "similar": lambda value, target: (
        fuzz.ratio("I have looked at order 1 and it is on its way.", value["text"]) > 50
    ),
}
SCORERS = [scorer(metrics=[accuracy()], name=name)(of(check))() for name, check in CHECKS.items()]

task = Task(
    dataset=MemoryDataset(
        [Sample(input=row["message"], target=json.dumps(row["expected"])) for row in DATA["rows"]]
    ),
    solver=generate(),
    scorer=SCORERS,
)
logs = eval(
    task,
    model="recorded/it",
    display="none",
    log_dir=sys.argv[2],
    max_samples=int(sys.argv[3]),
    max_connections=int(sys.argv[3]),
)
assert logs[0].status == "success", logs[0].error
values = [one.metrics["accuracy"].value for one in logs[0].results.scores]
assert values == [1.0] * 5, values
