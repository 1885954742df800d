"""Small first, larger once an answer could not be used: in the same conversation."""

from __future__ import annotations

import msgspec
import pytest

from agentc_runtime.events import ModelTurn
from agentc_runtime.expressions import Ref, Slot, Text
from agentc_runtime.labels import Label
from agentc_runtime.workflow import EndState, ModelState

END = EndState(output=Ref(path=("states", "work", "output")))
replace = msgspec.structs.replace
JUDGE = ModelState(
    instructions=(Text(text="Judge."),),
    prompt=(Text(text="Is it urgent?"),),
    models=("main",),
    escalation=("spare",),
    next="done",
    output={"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]},
)
GOOD = {"text": '{"urgent": true}'}


def asked(rig) -> list[str]:
    return [turn.model for turn in rig.of(ModelTurn)]


@pytest.mark.parametrize("bad", ["urgent!", '{"urgent": "very"}', ""])
async def test_an_answer_that_can_not_be_used_is_put_to_the_larger_model(rig, bad):
    rig.provider.script = [{"text": bad}, GOOD]
    result = await rig.run({"work": JUDGE, "done": END})
    assert result.output == {"urgent": True}
    assert asked(rig) == ["main", "spare"]
    assert rig.provider.requests[-1]["model"] == "model-spare"
    assert "can't be used" in rig.provider.heard("user")[-1]


async def test_a_good_answer_never_costs_the_larger_model(rig):
    rig.provider.script = [GOOD]
    await rig.run({"work": JUDGE, "done": END})
    assert asked(rig) == ["main"]


async def test_the_smaller_one_is_what_is_left_when_the_larger_one_is_down(rig):
    answer = rig.provider.handle

    async def handle(method, path, body):
        if b"model-spare" in body:
            return 400, "application/json", b"{}"
        return await answer(method, path, body)

    rig.handlers[0] = handle
    rig.provider.script = [{"text": "urgent!"}, GOOD]
    result = await rig.run({"work": JUDGE, "done": END})
    assert result.status == "succeeded"
    assert asked(rig) == ["main", "main"]


async def test_the_larger_model_sees_no_more_than_it_is_approved_for(rig):
    program = rig.program({"work": JUDGE, "done": END})
    models = {**program.models, "spare": replace(program.models["spare"], max_sensitivity="public")}
    given = replace(program.input, label=Label(trust="trusted", sensitivity="internal"))
    prompt = (*JUDGE.prompt, Slot(path=("input", "id")))
    rig.provider.script = [{"text": "urgent!"}, GOOD]
    await rig.run({"work": replace(JUDGE, prompt=prompt), "done": END}, models=models, input=given)
    assert asked(rig) == ["main", "main"]
