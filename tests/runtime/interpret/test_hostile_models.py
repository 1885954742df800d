"""Models that misbehave: refused, told, and in the end given up on. Never a traceback."""

from __future__ import annotations

import json

import msgspec
import pytest

from agentc_runtime.bundle import Limits
from agentc_runtime.events import ModelFailed, ModelTurn, RunEnded, ToolCalled, ToolRefused
from agentc_runtime.expressions import Ref, Slot
from agentc_runtime.workflow import EndState, ModelState

END = EndState(output=Ref(path=("states", "work", "output")))
VERDICT = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "maximum": 5}},
    "required": ["amount"],
    "additionalProperties": False,
}


def read(number: int | str = 1, ticket: str = "T-1") -> tuple[str, str, str]:
    return (f"c{number}", "desk_read", json.dumps({"id": ticket}))


async def test_a_refusal_is_told_to_the_model_which_recovers(rig, agent):
    rig.provider.script = [
        {"calls": [("c1", "desk_read", '{"ticket":"T-1"}')]},
        {"calls": [read(2)]},
        {"text": "done"},
    ]
    result = await rig.run({"work": agent(), "done": END})
    assert (result.status, result.output) == ("succeeded", "done")
    told = json.loads(rig.provider.heard("tool")[0])
    assert told["refused"] == "AR104"
    assert set(told) <= {"refused", "reason", "argument"}
    assert rig.of(RunEnded)[0].refused == 1


async def test_a_service_error_is_told_to_the_model(rig, agent):
    rig.provider.script = [{"calls": [read(1, "T-9")]}, {"text": "no such ticket"}]
    result = await rig.run({"work": agent(), "done": END})
    assert result.output == "no such ticket"
    assert json.loads(rig.provider.heard("tool")[0])["refused"] == "AR404"


async def test_two_hundred_calls_in_one_turn(rig, agent):
    rig.provider.script = [{"calls": [read(number) for number in range(200)]}, {"text": "done"}]
    result = await rig.run({"work": agent(), "done": END}, limits=Limits(calls_per_turn=3))
    assert result.status == "succeeded"
    assert len(rig.service.requests) == 3
    refused = rig.of(ToolRefused)
    assert [event.refusal.code for event in refused] == ["AR107"] * 197
    assert refused[0].refusal.message == "one turn may carry out 3 calls, and this is call 4"
    assert refused[0].refusal.at.line == 14
    assert len(rig.of(ToolCalled)) == 200
    assert [kept["refusal"]["code"] for kept in rig.kept("refused")] == ["AR107"] * 197
    assert len(rig.provider.heard("tool")) == 200
    assert (rig.of(RunEnded)[0].calls, rig.of(RunEnded)[0].refused) == (200, 197)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("delete_everything", "AR101"),
        ("DESK_READ", "AR101"),
        ("desk_note", "AR102"),
        ("../../etc/passwd\n", "AR101"),
        ("é" * 500, "AR101"),
    ],
)
async def test_unknown_tools(rig, agent, name, code):
    rig.provider.script = [{"calls": [("c1", name, "{}")]}, {"text": "sorry"}]
    result = await rig.run({"work": agent(tools=("desk.read",)), "done": END})
    assert (result.output, rig.service.requests) == ("sorry", [])
    assert [event.refusal.code for event in rig.of(ToolRefused)] == [code]
    sent = rig.provider.requests[1]["messages"][-2]["tool_calls"][0]["function"]["name"]
    assert 1 <= len(sent) <= 64
    assert sent.replace("_", "a").isalnum()
    assert sent.isascii()


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "null",
        "[]",
        '{"id":"T-1"',
        '{"id":"T-1","id":"T-2"}',
        '{"id":NaN}',
        "{" * 5000,
        '{"id":"\\ud800"}',
    ],
)
async def test_malformed_arguments(rig, agent, arguments):
    rig.provider.script = [{"calls": [("c1", "desk_read", arguments)]}, {"text": "sorry"}]
    result = await rig.run({"work": agent(), "done": END})
    assert (result.output, rig.service.requests) == ("sorry", [])
    assert [event.refusal.code for event in rig.of(ToolRefused)] == ["AR103"]


async def test_ids_that_are_taken_are_replaced(rig, agent):
    rig.provider.script = [
        {"calls": [("same", "desk_read", '{"id":"T-1"}'), ("same", "desk_read", '{"id":"T-9"}')]},
        {"calls": [("same", "desk_read", '{"id":"T-1"}')]},
        {"text": "done"},
    ]
    result = await rig.run({"work": agent(), "done": END})
    assert result.status == "succeeded"
    answered = [
        item["tool_call_id"] for item in rig.provider.requests[-1]["messages"] if item["role"] == "tool"
    ]
    assert len(set(answered)) == 3
    asked = [
        call["id"] for item in rig.provider.requests[-1]["messages"] for call in item.get("tool_calls", ())
    ]
    assert asked == answered
    assert [event.call_id for event in rig.of(ToolCalled)] == ["call-1", "call-2", "call-3"]


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_nothing_answered(rig, agent, text):
    rig.provider.script = [{"text": text}]
    result = await rig.run({"work": agent(), "done": END})
    assert (result.status, result.refusal.code) == ("failed", "AR502")
    assert result.refusal.message == "the answer is empty (told 2 times)"
    assert result.refusal.at.line == 20
    assert len(rig.provider.requests) == 3


async def test_a_wrong_output_is_repaired(rig, agent):
    rig.provider.script = [{"text": '{"amount": 9}'}, {"text": '```json\n{"amount": 5}\n```'}]
    result = await rig.run({"work": agent(output=VERDICT), "done": END})
    assert result.output == {"amount": 5}
    assert rig.provider.heard("user")[-1] == (
        "Your last answer can't be used: the answer does not fit the output schema: at `amount`: 9 is "
        "greater than the maximum of 5. Answer again with nothing but JSON that satisfies the output schema."
    )


@pytest.mark.parametrize(
    ("text", "said", "path", "value"),
    [
        ("I think 5", "the answer is not JSON", "", "I think 5"),
        ('{"amount": 5} and more', "more than one JSON value", "", '{"amount": 5} and more'),
        ('{"amount": 1, "amount": 2}', "same key twice", "", '{"amount": 1, "amount": 2}'),
        ('{"amount": NaN}', "NaN", "", '{"amount": NaN}'),
        ('{"amount": 7}', "at `amount`: 7 is greater", "amount", 7),
        ("{}", '"amount" is a required property', "", "{}"),
        ('{"amount": "\\ud800"}', "surrogate", "", '{"amount": "\\ud800"}'),
        ("[" * 100_000, "not JSON", "", "[" * 200 + "…"),
    ],
)
async def test_an_output_that_is_never_right(rig, agent, text, said, path, value):
    rig.provider.script = [{"text": text}]
    result = await rig.run({"work": agent(output=VERDICT), "done": END})
    assert (result.status, result.refusal.code) == ("failed", "AR502")
    assert said in result.refusal.message
    assert (result.refusal.path, result.refusal.value) == (path, value)
    assert len(rig.provider.requests) == 3


async def test_a_cut_off_answer_is_asked_for_again(rig, agent):
    rig.provider.script = [{"text": '{"amount": 1', "finish": "length"}, {"text": '{"amount": 1}'}]
    result = await rig.run({"work": agent(output=VERDICT), "done": END})
    assert result.output == {"amount": 1}
    assert "cut off after 4096 tokens" in rig.provider.heard("user")[-1]


async def test_a_cut_off_call_is_not_carried_out(rig, agent):
    rig.provider.script = [{"calls": [read()], "finish": "length"}, {"text": "short"}]
    result = await rig.run({"work": agent(), "done": END})
    assert (result.output, rig.service.requests) == ("short", [])


async def test_a_filtered_answer_fails(rig, agent):
    rig.provider.script = [{"text": "I can", "finish": "content_filter"}]
    result = await rig.run({"work": agent(models=("main", "spare")), "done": END})
    assert result.refusal.code == "AR502"
    assert result.refusal.message == "the content filter of model `main` stopped the answer"
    assert len(rig.provider.requests) == 1


async def test_a_model_state_has_no_tools_to_call(rig):
    rig.provider.script = [{"calls": [read()]}, {"text": "fine"}]
    state = ModelState(instructions=(), prompt=(Slot(path=("input", "id")),), models=("main",), next="done")
    result = await rig.run({"work": state, "done": END})
    assert (result.output, rig.service.requests) == ("fine", [])
    assert "there are none here" in rig.provider.heard("user")[-1]


async def test_another_model_takes_over(rig, agent):
    rig.provider.script = [401, {"text": "hello"}]
    result = await rig.run({"work": agent(models=("main", "spare")), "done": END})
    assert result.output == "hello"
    assert [(event.model, event.next) for event in rig.of(ModelFailed)] == [("main", "spare")]
    assert "401" in rig.of(ModelFailed)[0].message
    assert [event.model for event in rig.of(ModelTurn)] == ["spare"]
    assert [request["model"] for request in rig.provider.requests] == ["model-main", "model-spare"]


async def test_no_model_answers(rig, agent):
    rig.provider.script = [401]
    result = await rig.run({"work": agent(models=("main", "spare")), "done": END})
    assert (result.status, result.refusal.code) == ("failed", "AR503")
    assert [event.next for event in rig.of(ModelFailed)] == ["spare", None]
    assert "`main`: " in result.refusal.message
    assert "`spare`: " in result.refusal.message


async def test_a_missing_key_is_named_and_not_worked_around(rig, agent):
    states = {"work": agent(models=("main", "spare")), "done": END}
    models = dict(rig.program(states).models)
    models["main"] = msgspec.structs.replace(models["main"], secret="key")
    result = await rig.run(states, models=models)
    assert (result.refusal.code, result.refusal.value) == ("AR506", "key")
    assert "MODEL_KEY" in result.refusal.message
    assert (result.refusal.at.file, result.refusal.at.line) == ("agentc.yaml", 30)
    assert rig.provider.requests == []
