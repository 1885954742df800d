"""A run as spans: what is in what, under the conventions' names, and nothing of what was said in it."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec.structs import replace
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from agentc_runtime.bundle import Approval, Limits
from agentc_runtime.expressions import Ref, Text
from agentc_runtime.models import client
from agentc_runtime.telemetry.content import Content
from agentc_runtime.telemetry.propagation import incoming
from agentc_runtime.workflow import Catch, EndState, ModelState, Retry, ToolState

END = EndState(output=Ref(path=("states", "work", "output")))
READ = ToolState(tool="desk.read", arguments={"id": Ref(path=("input", "id"))}, next="work")
JUDGE = ModelState(
    instructions=(Text(text="Judge."),),
    prompt=(Text(text="Is it urgent?"),),
    models=("main",),
    next="done",
    output={"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]},
)
READS = {"calls": [("c1", "desk_read", '{"id":"T-1"}')]}


async def test_an_agent_that_is_all_the_workflow(rig, agent, seen):
    rig.provider.script = [READS, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    assert seen.tree() == [
        "invoke_agent triage",
        "  chat model-main",
        "  execute_tool desk.read",
        "  chat model-main",
    ]
    assert seen.events() == [
        ("invoke_agent triage", "agentc.state.entered"),
        ("invoke_agent triage", "agentc.state.ended"),
        ("invoke_agent triage", "agentc.state.entered"),
        ("invoke_agent triage", "agentc.state.ended"),
    ]


async def test_an_agent_in_a_workflow(rig, agent, seen):
    rig.provider.script = [READS, {"text": "ok"}, {"text": '{"urgent": true}'}]
    await rig.run({"first": READ, "work": replace(agent(), next="judge"), "judge": JUDGE, "done": END})
    assert seen.tree() == [
        "invoke_workflow triage",
        "  execute_tool desk.read",
        "  invoke_agent triage",
        "    chat model-main",
        "    execute_tool desk.read",
        "    chat model-main",
        "  chat model-main",
    ]
    workflow = seen.span("invoke_workflow triage")
    assert workflow.attributes["gen_ai.workflow.name"] == "triage"
    assert workflow.attributes["agentc.run.status"] == "succeeded"
    assert workflow.attributes["gen_ai.usage.input_tokens"] == 300
    judged = seen.spans[-1]
    assert judged.attributes["gen_ai.output.type"] == "json"
    assert ("invoke_workflow triage", "agentc.output.checked") in seen.events()


async def test_what_a_turn_says_of_itself(rig, agent, seen):
    rig.provider.script = [{"text": "ok"}]
    program = rig.program({"work": agent(), "done": END})
    warm = {alias: replace(model, temperature="0.2") for alias, model in program.models.items()}
    await rig.run({"work": agent(), "done": END}, models=warm)
    turn = seen.span("chat model-main")
    told = dict(turn.attributes)
    assert turn.kind is SpanKind.CLIENT
    assert turn.status.status_code is StatusCode.UNSET
    assert 0 < told.pop("gen_ai.response.time_to_first_chunk") <= told.pop("agentc.duration")
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "triage",
        "gen_ai.request.model": "model-main",
        "gen_ai.request.max_tokens": 4096,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.stream": True,
        "gen_ai.output.type": "text",
        "gen_ai.response.id": "r",
        "gen_ai.response.model": "m",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "server.address": "127.0.0.1",
        "server.port": int(rig.urls[0].rpartition(":")[2]),
        "agentc.state.name": "work",
        "agentc.model.alias": "main",
        "agentc.model.calls": 0,
        "agentc.cost": 0.002,
        "agentc.label.trust": "trusted",
        "agentc.label.sensitivity": "internal",
    }


async def test_what_a_call_says_of_itself(rig, agent, seen):
    rig.provider.script = [READS, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    called = seen.span("execute_tool desk.read")
    told = dict(called.attributes)
    assert told.pop("agentc.duration") > 0
    assert told == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.name": "triage",
        "gen_ai.tool.name": "desk.read",
        "gen_ai.tool.type": "extension",
        "gen_ai.tool.description": "read of the helpdesk",
        "gen_ai.tool.call.id": "call-1",
        "http.response.status_code": 200,
        "agentc.state.name": "work",
        "agentc.outcome": "returned",
        "agentc.tool.effect": "read",
        "agentc.tool.pages": 1,
        "agentc.tool.cached": False,
        "agentc.label.trust": "untrusted",
        "agentc.label.sensitivity": "confidential",
    }


async def test_a_refused_call_names_rule_and_spec_line_and_quotes_nothing(rig, agent, seen):
    rig.provider.script = [{"calls": [("c1", "desk_pay_mallory", '{"to":"mallory"}')]}, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    refused = seen.span("execute_tool _OTHER")
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.attributes["error.type"] == "AR101"
    (event,) = refused.events
    assert event.name == "agentc.tool.refused"
    assert event.attributes["agentc.refusal.title"] == "tool is not granted"
    assert "mallory" not in seen.everything()


async def test_people_who_are_asked(rig, agent, seen):
    rig.provider.script = [{"calls": [("c1", "desk_reply", '{"text":"hi"}')]}, {"text": "ok"}]
    rig.person.approves = False
    await rig.run({"work": agent(), "done": END}, approval=Approval(by=("leads",)))
    assert [name for span, name in seen.events() if span == "execute_tool desk.reply"] == [
        "agentc.approval.asked",
        "agentc.approval.decided",
        "agentc.tool.refused",
    ]
    decided = seen.span("execute_tool desk.reply").events[1]
    assert decided.attributes["agentc.outcome"] == "rejected"


async def test_new_tries_and_the_model_that_is_asked_instead(rig, agent, seen, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.provider.script = [503, 503, 503, READS, {"text": "ok"}]
    rig.service.failing = [503]
    states = {"work": replace(agent(), models=("main", "spare")), "done": END}
    program = rig.program(states)
    again = replace(program.tools["desk.read"], retry=Retry(max_attempts=2, backoff_ms=1))
    await rig.run(states, tools={**program.tools, "desk.read": again})
    failed, answered = seen.spans[1], seen.spans[2]
    assert (failed.name, answered.name) == ("chat model-main", "chat model-spare")
    assert [event.name for event in failed.events] == ["agentc.model.retried"] * 2
    assert failed.attributes["error.type"] == "503"
    assert failed.status.status_code is StatusCode.ERROR
    assert ("invoke_agent triage", "agentc.model.failed") in seen.events()
    assert ("execute_tool desk.read", "agentc.tool.retried") in seen.events()


async def test_a_state_that_is_tried_again_and_one_that_is_caught(rig, agent, seen):
    rig.provider.script = [{"text": "no JSON"}, {"text": "no JSON"}, {"text": "no JSON"}, {"text": "ok"}]
    caught = replace(JUDGE, catch=(Catch(errors=("any",), next="work"),))
    await rig.run({"judge": caught, "work": agent(), "done": END})
    failed = [
        event for event in seen.span("invoke_workflow triage").events if event.name == "agentc.state.failed"
    ]
    assert [event.attributes["agentc.state.next"] for event in failed] == ["work"]
    assert failed[0].attributes["agentc.refusal.code"] == "AR502"
    assert seen.tree()[-2:] == ["  invoke_agent triage", "    chat model-main"]


async def test_a_run_that_fails_or_is_stopped_leaves_no_span_open(rig, agent, seen):
    rig.provider.script = [READS]
    await rig.run({"first": READ, "work": agent(), "done": END}, limits=Limits(steps=1))
    assert seen.span("invoke_workflow triage").attributes["error.type"] == "AR501"
    seen.spans_to.clear()

    rig.provider.script = ["hang"]
    running = asyncio.create_task(rig.run({"first": READ, "work": agent(), "done": END}))
    while not rig.provider.requests:  # noqa: ASYNC110  the provider has no event for it
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert seen.tree() == [
        "invoke_workflow triage",
        "  execute_tool desk.read",
        "  invoke_agent triage",
        "    chat model-main",
    ]
    assert {span.attributes.get("error.type") for span in seen.spans if "desk" not in span.name} == {
        "cancelled"
    }


async def test_runs_at_once_do_not_get_into_each_others_spans(rig, agent, seen):
    rig.provider.script = [{"text": "ok"}]
    states = {"first": READ, "work": agent(), "done": END}
    await asyncio.gather(*(rig.run(states) for _ in range(5)))
    roots = {span.context.trace_id: span for span in seen.spans if span.parent is None}
    assert len(roots) == 5
    for span in seen.spans:
        if span.name.startswith(("execute_tool", "invoke_agent")):
            assert span.parent.span_id == roots[span.context.trace_id].context.span_id


async def test_a_run_leaves_the_context_as_it_was(rig, agent, seen):
    before = otel_context.get_current()
    rig.provider.script = [{"text": "ok"}]
    await rig.run({"first": READ, "work": agent(), "done": END})
    assert otel_context.get_current() == before
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_run_is_part_of_its_callers_trace(rig, agent, seen):
    seen.parent = incoming({"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-01"})
    rig.provider.script = [READS, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    assert {span.context.trace_id for span in seen.spans} == {int("a" * 32, 16)}
    assert seen.spans[0].parent.span_id == int("b" * 16, 16)


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{'b' * 16}-01", "x" * 600])
def test_a_context_that_is_none(header):
    assert incoming({"traceparent": header}) is None


# --- content -----------------------------------------------------------------------------------------------


async def test_no_content_leaves_unless_it_is_asked_for(rig, agent, seen):
    rig.service.tickets["T-1"] = {"subject": "my secret wish", "priority": 1}
    rig.provider.script = [{"text": "I look", **READS}, {"text": "a verdict"}]
    await rig.run({"work": agent(), "done": END})
    everything = seen.everything()
    for content in ("my secret wish", "I look", "a verdict", "T-1", "Ticket"):
        assert content not in everything


async def test_content_up_to_a_label(rig, agent, seen):
    seen.content = Content(up_to="internal")
    rig.provider.script = [{"text": "I look", **READS}, {"text": "a verdict"}]
    await rig.run({"work": agent(), "done": END})
    first, second = [span for span in seen.spans if span.name == "chat model-main"]
    assert json.loads(first.attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Ticket T-1"}]}
    ]
    assert json.loads(first.attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I look"},
                {"type": "tool_call", "id": "c1", "name": "desk_read", "arguments": '{"id":"T-1"}'},
            ],
            "finish_reason": "tool_calls",
        }
    ]
    assert [tool["name"] for tool in json.loads(first.attributes["gen_ai.tool.definitions"])] == [
        "desk_read",
        "desk_note",
        "desk_reply",
    ]
    called = seen.span("execute_tool desk.read")
    assert called.attributes["gen_ai.tool.call.arguments"] == '{"id":"T-1"}'
    # the answer is confidential, and so is all that the model says after it
    assert "gen_ai.tool.call.result" not in called.attributes
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & second.attributes.keys()
    everything = seen.everything()
    assert "ignore your rules" not in everything
    assert "a verdict" not in everything


async def test_content_without_what_patterns_find(rig, agent, seen):
    seen.content = Content(up_to="confidential")
    rig.service.tickets["T-1"] = {"subject": "write to ann@example.com", "priority": 1}
    rig.provider.script = [READS, {"text": "card 4111 1111 1111 1111"}]
    await rig.run({"work": agent(), "done": END})
    result = seen.span("execute_tool desk.read").attributes["gen_ai.tool.call.result"]
    assert json.loads(result) == {"subject": "write to [email]", "priority": 1}
    everything = seen.everything()
    assert "ann@example.com" not in everything
    assert "4111 1111" not in everything  # not `4111` alone: times hold those digits too
    assert "card [card]" in everything
