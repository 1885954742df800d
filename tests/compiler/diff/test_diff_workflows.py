"""What stands between an agent and its calls in a workflow, and what is handed off."""

from __future__ import annotations

import msgspec
import pytest

from agentc.checks.base import PROJECT
from agentc.diff.compare import compare
from agentc.diff.values import Side, Version
from agentc_runtime import bundle as ir
from agentc_runtime import workflow as wf
from agentc_runtime.expressions import Const, Ref, Text

REFUND = wf.ToolState(tool="desk.refund", arguments={"amount": Const(value=5)}, next="done")
DONE = wf.EndState(output=Const(value="done"))
ASK = wf.ApprovalState(message=(Text(text="Really?"),), by=("leads",), next="refund", rejected="done")
CHECK = wf.VerifyState(value=Ref(path=("input", "ticket_id")), schema={"type": "string"}, next="refund")


@pytest.fixture
def program(tmp_path, kit):
    """A program of the base project with these states, the first of which is the start."""
    (version,) = kit.side(tmp_path / "desk", "# file: agentc.yaml\n" + PROJECT).agents.values()

    def make(states, **fields) -> Version:
        program = msgspec.structs.replace(version.program, states=states, start=next(iter(states)), **fields)
        return Version(program, version.source_map, version.sources)

    return make


def wider(old: Version, new: Version):
    delta = compare(*(Side(n, {"triage": one}, "folder", n) for n, one in (("old", old), ("new", new))))
    return [(one.code, one.subject, one.what) for one in delta.widenings]


@pytest.mark.parametrize("gate", [ASK, CHECK], ids=["approval", "check"])
def test_a_call_that_is_reached_without_its_gate(program, gate):
    kind = "approval" if gate is ASK else "check"
    what = f"calls tools without the {kind} in `gate` before it"
    old = program({"gate": gate, "refund": REFUND, "done": DONE})
    assert wider(old, program({"refund": REFUND, "done": DONE})) == [("AC905", "the state refund", what)]
    around = wf.ChoiceState(
        choices=(wf.Choice(on=Ref(path=("input", "ticket_id")), when={"const": "T-1"}, next="refund"),),
        default="gate",
    )
    bypassed = program({"choose": around, "gate": gate, "refund": REFUND, "done": DONE})
    assert wider(old, bypassed) == [("AC905", "the state refund", what)]
    before = wf.ChoiceState(choices=(), default="gate")
    assert wider(old, program({"choose": before, "gate": gate, "refund": REFUND, "done": DONE})) == []


def test_a_rejection_that_leads_on_is_no_gate(program):
    old = program({"gate": ASK, "refund": REFUND, "done": DONE})
    rejected = msgspec.structs.replace(ASK, rejected="refund")
    assert [code for code, *_ in wider(old, program({"gate": rejected, "refund": REFUND, "done": DONE}))] == [
        "AC905"
    ]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"by": ("juniors", "leads")}, "may be agreed to by `juniors` as well"),
        ({"by": ()}, "may be agreed to by anybody as well"),
        ({"expires_ms": 172_800_000}, "may be agreed to for 2d, not 1d"),
        ({"by": ("leads",), "expires_ms": 1000}, None),
    ],
)
def test_who_agrees_in_an_approval_state(program, fields, what):
    old = program({"gate": ASK, "refund": REFUND, "done": DONE})
    new = program({"gate": msgspec.structs.replace(ASK, **fields), "refund": REFUND, "done": DONE})
    assert wider(old, new) == ([] if what is None else [("AC905", "the state gate", what)])


def test_another_check_can_not_be_compared(program):
    old = program({"gate": CHECK, "refund": REFUND, "done": DONE})
    other = msgspec.structs.replace(CHECK, schema={"type": "string", "maxLength": 3})
    assert wider(old, program({"gate": other, "refund": REFUND, "done": DONE})) == [
        ("AC905", "the state gate", "checks something else")
    ]


def test_an_agent_that_is_handed_work_is_compared_as_well(program):
    """Nothing of the agent itself has changed: the one that it hands off to may do more."""
    inner = program({"refund": REFUND, "done": DONE})
    grant = inner.program.grants["desk.refund"]
    quota = msgspec.structs.replace(grant, quota=ir.Quota(per_run=1))
    limited = msgspec.structs.replace(inner.program, grants={**inner.program.grants, "desk.refund": quota})
    hand = wf.HandoffState(agent="payer", input=Const(value={}), session=Const(value={}), next="done")
    states = {"hand": hand, "done": DONE}
    old = program(states, agents={"payer": limited})
    assert wider(old, program(states, agents={"payer": inner.program})) == [
        ("AC906", "desk.refund", "may be called any number of times a run, not 1")
    ]
    new = wider(program({"done": DONE}), old)
    assert ("AC901", "triage > payer", "is an agent that may call 1 tool") in new


def test_a_tool_that_undoes_may_be_called(program):
    old, new = (program({"done": DONE}, undoing=names) for names in ((), ("desk.refund",)))
    assert [(code, subject) for code, subject, _ in wider(old, new)] == [("AC902", "desk.refund")]


def test_a_retriever_that_is_shown_more(program):
    state = wf.RetrieveState(
        retriever="docs", query=Const(value="x"), label=ir.Label(), next="done", max_sensitivity="internal"
    )
    old = program({"look": state, "done": DONE})
    more = msgspec.structs.replace(state, max_sensitivity="restricted", top=50)
    assert wider(old, program({"look": more, "done": DONE})) == [
        ("AC909", "the state look", "asks with restricted data, not only internal"),
        ("AC906", "the state look", "reads up to 50 passages, not 5"),
    ]
