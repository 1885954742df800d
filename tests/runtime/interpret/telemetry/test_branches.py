"""Spans of branches, hand-offs, retrieval and approvals: each lies in what it belongs to."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from agentc_runtime.expressions import Const, Object, Ref, Slot, Text
from agentc_runtime.labels import Label
from agentc_runtime.retrieval import Passage
from agentc_runtime.workflow import (
    ApprovalState,
    EndState,
    HandoffState,
    ModelState,
    ParallelState,
    RetrieveState,
    ToolState,
)

OUTPUT = Ref(path=("states", "work", "output"))
DONE = EndState(output=OUTPUT)
NOTE = ToolState(tool="desk.note", arguments={"id": Const(value="T-1")}, next="noted")
NOTED = EndState(output=Ref(path=("states", "note", "output")))
JUDGE = ModelState(instructions=(Text(text="Judge."),), prompt=(), models=("main",), next="judged")
HAND = HandoffState(
    agent="helper",
    input=Object(fields={"id": Ref(path=("input", "id"))}),
    session=Ref(path=("session",)),
    next="done",
)


def branches(agent, wait="all"):
    judged = EndState(output=Ref(path=("states", "judge", "output")))
    talked = EndState(output=Ref(path=("states", "talk", "output")))
    return {
        "work": ParallelState(
            branches={"a": "judge", "b": "note", "c": "talk"}, output={}, next="done", wait=wait
        ),
        "judge": JUDGE,
        "judged": judged,
        "note": NOTE,
        "noted": NOTED,
        "talk": replace(agent(), next="talked"),
        "talked": talked,
        "done": DONE,
    }


async def test_branches_at_once(rig, agent, seen):
    rig.provider.script = [{"text": "ok"}]
    result = await rig.run(branches(agent))
    assert result.status == "succeeded"
    parents = {span.context.span_id: span.name for span in seen.spans}
    inside = [(span.name, parents.get(span.parent.span_id)) for span in seen.spans if span.parent]
    assert sorted(inside) == [
        ("chat model-main", "invoke_agent triage"),
        ("chat model-main", "invoke_workflow triage"),
        ("execute_tool desk.note", "invoke_workflow triage"),
        ("invoke_agent triage", "invoke_workflow triage"),
    ]
    logs = [record.log_record for record in seen.logs_to.get_finished_logs()]
    assert {record.attributes.get("agentc.scope") for record in logs} == {None, "1.a/", "1.b/", "1.c/"}


async def test_branches_that_were_not_needed_any_more_are_ended(rig, agent, seen):
    rig.provider.script = ["hang"]
    result = await rig.run(branches(agent, wait="any"))
    assert result.status == "succeeded"
    assert len(seen.spans) == 5
    stopped = [span for span in seen.spans if span.name != "execute_tool desk.note"][1:]
    assert {span.attributes["error.type"] for span in stopped} == {"cancelled"}
    assert "error.type" not in seen.span("invoke_workflow triage").attributes


async def test_another_agent_has_its_own_name_in_spans_and_measurements(rig, agent, seen):
    program = rig.program(
        {"talk": replace(agent(), next="end"), "end": EndState(output=Ref(path=("states", "talk", "output")))}
    )
    helper = replace(program, agent=replace(program.agent, name="helper", version="2.0.0"))
    rig.provider.script = [{"calls": [("c1", "desk_note", '{"id":"T-1"}')]}, {"text": "ok"}]
    await rig.run({"work": HAND, "done": DONE}, agents={"helper": helper})
    assert seen.tree() == [
        "invoke_workflow triage",
        "  invoke_agent helper",
        "    invoke_agent helper",
        "      chat model-main",
        "      execute_tool desk.note",
        "      chat model-main",
    ]
    ((attributes, count),) = seen.points("agentc.tool.calls")
    assert (attributes["gen_ai.agent.name"], attributes["gen_ai.agent.version"], count) == (
        "helper",
        "2.0.0",
        1,
    )
    ((attributes, _),) = seen.points("agentc.run.duration")
    assert attributes["gen_ai.agent.name"] == "triage"


async def test_retrieval(rig, seen):
    class Handbook:
        async def retrieve(self, query, *, top):
            await asyncio.sleep(0)
            return [Passage(text="my secret", source="page 1", score=1.0)]

    rig.retrievers = {"handbook": Handbook()}
    label = Label(trust="untrusted", sensitivity="confidential")
    look = RetrieveState(retriever="handbook", query=Ref(path=("input", "id")), label=label, next="done")
    await rig.run({"work": look, "done": DONE})
    assert seen.tree() == ["invoke_workflow triage", "  retrieval handbook"]
    span = seen.span("retrieval handbook")
    assert span.attributes["gen_ai.operation.name"] == "retrieval"
    assert span.attributes["gen_ai.data_source.id"] == "handbook"
    assert [event.name for event in span.events] == ["agentc.retrieved", "agentc.state.ended"]
    assert "my secret" not in seen.everything()


async def test_a_state_that_asks_a_person(rig, seen):
    ask = ApprovalState(
        message=(Text(text="Close ticket "), Slot(path=("input", "id")), Text(text="?")),
        by=("leads",),
        next="done",
    )
    await rig.run({"work": ask, "done": DONE})
    assert ("invoke_workflow triage", "agentc.approval.decided") in seen.events()
    ((attributes, count),) = seen.points("agentc.approvals")
    assert (attributes["agentc.state.name"], attributes["agentc.outcome"], count) == ("work", "approved", 1)
    assert "Close ticket" not in seen.everything()
