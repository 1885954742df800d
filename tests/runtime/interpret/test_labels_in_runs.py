"""What was read follows the data: into calls, into other states, and up to models that may not see it."""

from __future__ import annotations

import msgspec
import pytest

from agentc_runtime.bundle import Data
from agentc_runtime.events import ToolRefused
from agentc_runtime.expressions import If, Predicate, Ref, Slot, Text
from agentc_runtime.labels import Label
from agentc_runtime.workflow import EndState, ModelState, ToolState

replace = msgspec.structs.replace
END = EndState(output=Ref(path=("states", "work", "output")))
READ = ("c1", "desk_read", '{"id":"T-1"}')
NOTE = ("c2", "desk_note", '{"id":"T-1"}')
REPLY = ("c3", "desk_reply", '{"text":"hi"}')
ID = {"id": Ref(path=("input", "id"))}


def typed(schema: object) -> dict[str, object]:
    return {"type": "object", "properties": {"x": schema}, "required": ["x"], "additionalProperties": False}


async def test_an_effect_after_an_untrusted_read_asks(rig, agent):
    rig.provider.script = [{"calls": [READ]}, {"calls": [REPLY]}, {"text": "done"}]
    result = await rig.run({"work": agent(), "done": END})
    assert result.status == "succeeded"
    assert [request.tool for request in rig.person.asked] == ["desk.reply"]
    assert "untrusted" in rig.person.asked[0].reasons[0]
    assert rig.service.requests[-1] == ("POST", "/replies", {"text": "hi"})


async def test_an_effect_before_it_does_not(rig, agent):
    rig.provider.script = [{"calls": [REPLY]}, {"calls": [READ]}, {"text": "done"}]
    await rig.run({"work": agent(), "done": END})
    assert rig.person.asked == []


async def test_an_effect_after_a_trusted_read_does_not(rig, agent):
    rig.provider.script = [{"calls": [NOTE]}, {"calls": [REPLY]}, {"text": "done"}]
    rig.service.tickets["T-1"] = {"subject": "ours"}
    await rig.run({"work": agent(), "done": END})
    assert rig.person.asked == []
    assert len(rig.service.requests) == 2


async def test_calls_of_one_turn_have_not_read_each_others_answers(rig, agent):
    rig.provider.script = [{"calls": [READ, REPLY]}, {"text": "done"}]
    await rig.run({"work": agent(), "done": END})
    assert rig.person.asked == []


async def test_a_refused_read_has_read_nothing(rig, agent):
    rig.provider.script = [
        {"calls": [("c1", "desk_read", '{"id":"T-9"}')]},
        {"calls": [REPLY]},
        {"text": "done"},
    ]
    await rig.run({"work": agent(), "done": END})
    assert rig.person.asked == []


async def test_a_rejection_is_told_to_the_model(rig, agent):
    rig.person.approves = False
    rig.provider.script = [{"calls": [READ]}, {"calls": [REPLY]}, {"text": "I could not reply"}]
    result = await rig.run({"work": agent(), "done": END})
    assert result.output == "I could not reply"
    assert [event.refusal.code for event in rig.of(ToolRefused)] == ["AR205"]
    assert [request[0] for request in rig.service.requests] == ["GET"]


@pytest.mark.parametrize(
    "template",
    [
        (Slot(path=("states", "work", "output", "subject")),),
        (Slot(path=("states", "work", "output")),),
        (Slot(path=("states",)),),
        (
            If(
                condition=Predicate(path=("states", "work", "output", "subject"), op="truthy"),
                then=(Text(text="hello"),),
            ),
        ),
    ],
)
async def test_a_label_crosses_states_with_the_data(rig, agent, template):
    rig.provider.script = [{"calls": [REPLY]}, {"text": "done"}]
    work = ToolState(tool="desk.read", arguments=ID, next="act")
    states = {"work": work, "act": agent(prompt=template), "done": END}
    await rig.run(states)
    assert len(rig.person.asked) == 1


async def test_a_state_that_does_not_read_it_is_clean(rig, agent):
    rig.provider.script = [{"calls": [REPLY]}, {"text": "done"}]
    work = ToolState(tool="desk.read", arguments=ID, next="act")
    await rig.run({"work": work, "act": agent(), "done": END})
    assert rig.person.asked == []


async def test_an_agents_answer_is_as_suspect_as_what_it_read(rig, agent):
    rig.provider.script = [{"calls": [READ]}, {"text": "say hi"}]
    act = ToolState(
        tool="desk.reply", arguments={"text": Ref(path=("states", "work", "output"))}, next="done"
    )
    await rig.run({"work": agent(next="act"), "act": act, "done": END})
    assert len(rig.person.asked) == 1


async def test_a_tool_states_answer_is_as_suspect_as_its_arguments(rig, agent):
    """The answer of a trusted service may repeat what hostile arguments said."""
    rig.provider.script = [{"calls": [READ]}, {"text": "T-1"}, {"calls": [REPLY]}, {"text": "done"}]
    echo = ToolState(tool="desk.note", arguments={"id": Ref(path=("states", "work", "output"))}, next="act")
    act = agent(prompt=(Slot(path=("states", "echo", "output", "subject")),))
    await rig.run({"work": agent(next="echo"), "echo": echo, "act": act, "done": END})
    assert len(rig.person.asked) == 1


@pytest.mark.parametrize(
    ("schema", "answer", "asked"),
    [
        ({"type": "integer"}, '{"x": 7}', 0),
        ({"enum": ["refund", "wait"]}, '{"x": "wait"}', 0),
        ({"type": "array", "items": {"type": "boolean"}}, '{"x": [true]}', 0),
        ({"type": "string", "format": "date"}, '{"x": "2024-01-01"}', 0),
        ({"$ref": "#/$defs/kind"}, '{"x": "wait"}', 0),
        ({"type": "string", "maxLength": 9}, '{"x": "wait"}', 1),
        ({}, '{"x": 7}', 1),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, '{"x": 7}', 1),
        ({"type": "object", "additionalProperties": True}, '{"x": {}}', 1),
    ],
)
async def test_only_values_that_carry_no_text_cross_clean(rig, agent, schema, answer, asked):
    rig.provider.script = [{"calls": [READ]}, {"text": answer}, {"calls": [REPLY]}, {"text": "done"}]
    output = typed(schema) | {"$defs": {"kind": {"enum": ["refund", "wait"]}}}
    act = agent(prompt=(Slot(path=("states", "work", "output", "x")),))
    result = await rig.run({"work": agent(next="act", output=output), "act": act, "done": END})
    assert result.status == "succeeded"
    assert len(rig.person.asked) == asked


@pytest.mark.parametrize(("schema", "asked"), [({"type": "string"}, 1), ({"type": "integer"}, 0)])
async def test_untrusted_input_counts_unless_it_can_carry_no_text(rig, agent, schema, asked):
    rig.provider.script = [{"calls": [REPLY]}, {"text": "done"}]
    data = Data(
        schema={"type": "object", "properties": {"id": schema}},
        label=Label(trust="untrusted", sensitivity="public"),
    )
    given = {"id": "T-1" if schema["type"] == "string" else 1}
    await rig.run({"work": agent(), "done": END}, given=given, input=data)
    assert len(rig.person.asked) == asked


async def test_what_a_grant_binds_is_sent_too(rig):
    """The text of the effect comes out of an untrusted session, though the state itself reads nothing."""
    work = ToolState(tool="desk.reply", arguments={}, next="done")
    states = {"work": work, "done": END}
    grants = dict(rig.program(states).grants)
    grants["desk.reply"] = replace(
        grants["desk.reply"],
        bind={"text": Ref(path=("session", "text"))},
        schema={"type": "object", "properties": {}, "additionalProperties": False},
    )
    session = Data(schema={"type": "object"}, label=Label(trust="untrusted", sensitivity="public"))
    result = await rig.run(states, who={"text": "hi"}, grants=grants, session=session)
    assert (result.status, len(rig.person.asked)) == ("succeeded", 1)


def with_models(rig, states, **bounds):
    models = rig.program(states).models
    return {alias: replace(model, max_sensitivity=bounds[alias]) for alias, model in models.items()}


async def test_no_model_sees_what_it_may_not(rig, agent):
    rig.provider.script = [{"calls": [READ]}, {"text": "leaked"}]
    states = {"work": agent(), "done": END}
    models = with_models(rig, states, main="internal", spare="restricted")
    result = await rig.run(states, models=models)
    assert (result.status, result.refusal.code) == ("failed", "AR504")
    assert result.refusal.message == (
        "state `work` holds confidential data, and its models may see less: `main` up to internal"
    )
    assert (result.refusal.at.file, result.refusal.value) == ("agentc.yaml", "confidential")
    assert len(rig.provider.requests) == 1


async def test_a_model_that_may_see_it_takes_over(rig, agent):
    rig.provider.script = [{"calls": [READ]}, {"text": "done"}]
    states = {"work": agent(models=("main", "spare")), "done": END}
    models = with_models(rig, states, main="internal", spare="restricted")
    result = await rig.run(states, models=models)
    assert result.status == "succeeded"
    assert [request["model"] for request in rig.provider.requests] == ["model-main", "model-spare"]


async def test_a_typed_value_keeps_its_sensitivity(rig):
    work = ToolState(tool="desk.read", arguments=ID, next="tell")
    tell = ModelState(
        instructions=(),
        prompt=(Slot(path=("states", "work", "output", "priority")),),
        models=("main",),
        next="done",
    )
    states = {"work": work, "tell": tell, "done": END}
    models = with_models(rig, states, main="internal", spare="internal")
    result = await rig.run(states, models=models)
    assert (result.refusal.code, rig.provider.requests) == ("AR504", [])
