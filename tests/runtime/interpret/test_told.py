"""What observers are told besides the transcript's lines: questions to models, new tries, checked answers."""

from __future__ import annotations

import json

from msgspec.structs import replace

from agentc_runtime.events import ModelAsked, ModelRetried, ModelTurn, OutputChecked, ToolRetried, as_data
from agentc_runtime.expressions import Ref, Text
from agentc_runtime.labels import Label
from agentc_runtime.models import client
from agentc_runtime.models.types import ModelRequest
from agentc_runtime.workflow import EndState, ModelState, Retry

END = EndState(output=Ref(path=("states", "work", "output")))
VERDICT = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}},
    "required": ["urgent"],
    "additionalProperties": False,
}
MODEL = ModelState(
    instructions=(Text(text="Judge."),),
    prompt=(Text(text="Is it urgent?"),),
    models=("main",),
    next="done",
    output=VERDICT,
)


async def test_each_question_to_a_model_has_the_label_of_what_it_is_told(rig, agent):
    rig.provider.script = [{"calls": [("c1", "desk_read", '{"id":"T-1"}')]}, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    first, second = rig.of(ModelAsked)
    assert first.label == Label(trust="trusted", sensitivity="internal")
    assert second.label == Label(trust="untrusted", sensitivity="confidential")
    assert isinstance(second.request, ModelRequest)
    assert len(second.request.messages) == 3


async def test_what_a_model_is_told_is_in_no_text(rig, agent):
    rig.provider.script = [{"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    (asked,) = rig.of(ModelAsked)
    assert as_data(asked) == {
        "event": "model_asked",
        "state": "work",
        "model": "main",
        "label": {"trust": "trusted", "sensitivity": "internal"},
    }
    assert "Ticket T-1" not in json.dumps([as_data(event) for event in rig.events])


async def test_a_turn_says_how_it_ended_and_when_it_began_to_arrive(rig, agent):
    rig.provider.script = [{"calls": [("c1", "desk_read", '{"id":"T-1"}')]}, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    first, second = rig.of(ModelTurn)
    assert (first.finish_reason, second.finish_reason) == ("tool_calls", "stop")
    assert (first.response_id, first.response_model) == ("r", "m")
    for turn in (first, second):
        assert 0 < turn.first_chunk <= turn.seconds


async def test_an_answer_that_does_not_fit_is_told_and_so_is_the_one_that_does(rig):
    rig.provider.script = [{"text": "urgent!"}, {"text": '{"urgent": true}'}]
    await rig.run({"work": MODEL, "done": END})
    first, second = rig.of(OutputChecked)
    assert (first.valid, second.valid) == (False, True)
    assert "not JSON" in first.reason
    assert second.reason == ""


async def test_a_model_that_is_asked_again(rig, agent, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.provider.script = [503, 503, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    assert [(event.model, event.attempt) for event in rig.of(ModelRetried)] == [("main", 1), ("main", 2)]
    assert "503" in rig.of(ModelRetried)[0].message
    assert len(rig.of(ModelAsked)) == 1


async def test_a_call_that_is_sent_again(rig, agent):
    rig.provider.script = [{"calls": [("c1", "desk_read", '{"id":"T-1"}')]}, {"text": "ok"}]
    rig.service.failing = [503]
    program = rig.program({"work": agent(), "done": END})
    retried = replace(program.tools["desk.read"], retry=Retry(max_attempts=2, backoff_ms=1))
    await rig.run({"work": agent(), "done": END}, tools={**program.tools, "desk.read": retried})
    (told,) = rig.of(ToolRetried)
    assert (told.state, told.tool, told.call_id, told.attempt) == ("work", "desk.read", "call-1", 1)
    assert told.refusal.code == "AR404"
