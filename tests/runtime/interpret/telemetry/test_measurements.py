"""A run as measurements: each instrument, what it counts, and under which attributes."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from agentc_runtime.bundle import Approval
from agentc_runtime.expressions import Ref, Text
from agentc_runtime.models import client
from agentc_runtime.telemetry import names
from agentc_runtime.workflow import EndState, ModelState, Retry

END = EndState(output=Ref(path=("states", "work", "output")))
READS = {"calls": [("c1", "desk_read", '{"id":"T-1"}')]}
RUN = {"gen_ai.agent.name": "triage", "gen_ai.agent.version": "1.0.0", "deployment.environment.name": "test"}
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.agent.name": "triage",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "model-main",
    "gen_ai.response.model": "m",
}
JUDGE = ModelState(
    instructions=(Text(text="Judge."),),
    prompt=(Text(text="Is it urgent?"),),
    models=("main",),
    next="done",
    output={"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]},
)


async def test_tokens_times_and_cost(rig, agent, seen):
    rig.provider.script = [READS, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    assert seen.points("gen_ai.client.token.usage") == [
        ({**CHAT, "gen_ai.token.type": "input"}, 200),
        ({**CHAT, "gen_ai.token.type": "output"}, 20),
    ]
    for name in ("gen_ai.client.operation.duration", "gen_ai.client.operation.time_to_first_chunk"):
        ((attributes, seconds),) = seen.points(name)
        assert attributes == CHAT
        assert 0 < seconds < 5
    ((attributes, dollars),) = seen.points("agentc.run.costs")
    assert attributes == {**RUN, "agentc.run.status": "succeeded"}
    assert dollars == pytest.approx(0.004)
    ((attributes, seconds),) = seen.points("agentc.run.duration")
    assert attributes == {**RUN, "agentc.run.status": "succeeded"}
    assert seen.points("agentc.runs.active") == [(RUN, 0)]


async def test_calls_by_how_they_came_out(rig, agent, seen):
    rig.service.failing = [500]
    rig.provider.script = [
        READS,
        READS,
        {"calls": [("c2", "desk_pay_mallory", "{}")]},
        {"text": "ok"},
    ]
    await rig.run({"work": agent(), "done": END})
    calls = {
        (told["gen_ai.tool.name"], told["agentc.outcome"]): n for told, n in seen.points("agentc.tool.calls")
    }
    assert calls == {("desk.read", "failed"): 1, ("desk.read", "returned"): 1, ("_OTHER", "refused"): 1}
    refusals = {told["agentc.refusal.code"]: n for told, n in seen.points("agentc.refusals")}
    assert refusals == {"AR404": 1, "AR101": 1}
    ((attributes, _),) = seen.points("agentc.tool.duration")
    assert attributes == {**RUN, "gen_ai.tool.name": "desk.read"}


async def test_approvals_that_wait_and_are_decided(rig, agent, seen):
    rig.provider.script = [{"calls": [("c1", "desk_reply", '{"text":"hi"}')]}, {"text": "ok"}]
    waiting: list[int] = []
    ask = rig.person.ask

    async def asked(request):
        waiting.extend(value for _, value in seen.points("agentc.approvals.waiting"))
        return await ask(request)

    rig.person.ask = asked
    await rig.run({"work": agent(), "done": END}, approval=Approval(by=("leads",)))
    assert waiting == [1]
    assert seen.points("agentc.approvals.waiting") == [({**RUN, "agentc.state.name": "work"}, 0)]
    assert seen.points("agentc.approvals") == [
        ({**RUN, "agentc.state.name": "work", "agentc.outcome": "approved"}, 1)
    ]
    assert len(seen.points("agentc.approval.duration")) == 1


async def test_a_run_that_is_stopped_waits_for_nobody(rig, agent, seen):
    rig.provider.script = [{"calls": [("c1", "desk_reply", '{"text":"hi"}')]}, {"text": "ok"}]
    asked = asyncio.Event()

    async def never(request):
        asked.set()
        await asyncio.sleep(60)

    rig.person.ask = never
    running = asyncio.create_task(rig.run({"work": agent(), "done": END}, approval=Approval(by=("leads",))))
    await asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert seen.points("agentc.approvals.waiting") == [({**RUN, "agentc.state.name": "work"}, 0)]
    assert seen.points("agentc.runs.active") == [(RUN, 0)]
    assert seen.points("agentc.run.duration")[0][0]["agentc.run.status"] == "cancelled"


async def test_answers_that_fit_their_schema(rig, seen):
    rig.provider.script = [{"text": "urgent!"}, {"text": '{"urgent": true}'}]
    await rig.run({"work": JUDGE, "done": END})
    checks = {told["agentc.output.valid"]: n for told, n in seen.points("agentc.output.checks")}
    assert checks == {False: 1, True: 1}


async def test_new_tries_and_failed_models(rig, agent, seen, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.provider.script = [503, 503, 503, READS, {"text": "ok"}]
    rig.service.failing = [503]
    states = {"work": replace(agent(), models=("main", "spare")), "done": END}
    program = rig.program(states)
    again = replace(program.tools["desk.read"], retry=Retry(max_attempts=2, backoff_ms=1))
    await rig.run(states, tools={**program.tools, "desk.read": again})
    retries = {told["agentc.retry.of"]: n for told, n in seen.points("agentc.retries")}
    assert retries == {"model": 2, "tool": 1}
    failed = [told for told, _ in seen.points("gen_ai.client.operation.duration") if "error.type" in told]
    assert [(told["gen_ai.request.model"], told["error.type"]) for told in failed] == [("model-main", "503")]


async def test_pieces_of_text(rig, agent, seen):
    rig.provider.script = [{"text": "one"}]
    await rig.run({"work": agent(), "done": END})
    assert seen.points("gen_ai.client.operation.time_per_output_chunk") == []  # there was one
    observe = seen.watch(rig.program({"work": agent(), "done": END}))
    for event in rig.events:
        observe(event)
        if type(event).__name__ == "ModelText":
            observe(event)
    ((attributes, _),) = seen.points("gen_ai.client.operation.time_per_output_chunk")
    assert attributes == {name: value for name, value in CHAT.items() if name != "gen_ai.response.model"}


async def test_a_turn_that_an_engine_remembered_is_not_counted_again(rig, agent, seen):
    rig.provider.script = [{"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    observe = seen.watch(rig.program({"work": agent(), "done": END}))
    before = (seen.points("gen_ai.client.token.usage"), len(seen.spans))
    for event in rig.events:
        match type(event).__name__:
            case "ModelAsked" | "ModelText":
                continue
            case "ModelTurn":
                observe(replace(event, remembered=True))
            case _:
                observe(event)
    assert seen.points("gen_ai.client.token.usage") == before[0]
    assert [span.name for span in seen.spans[before[1] :]] == ["invoke_agent triage"]


def test_every_instrument_is_one_of_the_list(seen):
    made = {metric.name for metric in names.METRICS}
    assert len(made) == len(names.METRICS)
    assert len(vars(seen.telemetry._instruments)) == len(names.METRICS)
