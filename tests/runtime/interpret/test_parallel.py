"""Workflows inside a state: branches and items at once, and what comes of it whatever is faster."""

from __future__ import annotations

import asyncio
import json
import random

import msgspec
import pytest

from agentc_runtime.events import StateEntered
from agentc_runtime.expressions import Const, Object, Ref
from agentc_runtime.labels import Label
from agentc_runtime.workflow import (
    Catch,
    Choice,
    ChoiceState,
    EndState,
    MapState,
    ModelState,
    ParallelState,
    ToolState,
)

ANY = {}
ITEM = Ref(path=("states", "work", "item"))
OUTPUT = Ref(path=("states", "work", "output"))
DONE = EndState(output=OUTPUT)
replace = msgspec.structs.replace


def read(ticket: object, then: str, **changes: object) -> ToolState:
    return ToolState(tool="desk.note", arguments={"id": Const(value=ticket)}, next=then, **changes)


def two(**changes: object) -> dict[str, object]:
    """Two branches that read a ticket each, and an end that gives what both gave."""
    both = ParallelState(branches={"one": "first", "two": "second"}, output=ANY, next="done")
    return {
        "work": replace(both, **changes),
        "first": read("T-1", "first_end"),
        "first_end": EndState(output=Ref(path=("states", "first", "output", "subject"))),
        "second": read("T-2", "second_end"),
        "second_end": EndState(output=Ref(path=("states", "second", "output", "subject"))),
        "done": DONE,
    }


@pytest.fixture
def desk(rig):
    rig.service.tickets = {"T-1": {"subject": "a"}, "T-2": {"subject": "b"}, "T-3": {"subject": "c"}}
    rig.service.slow = {}
    answer = rig.service.handle

    async def handle(method: str, path: str, body: bytes) -> object:
        await asyncio.sleep(rig.service.slow.get(path.rpartition("/")[2], 0))
        return await answer(method, path, body)

    rig.service.handle = handle
    rig.switch(handle)
    return rig


async def test_all_branches_give_their_outputs_by_name(desk):
    result = await desk.run(two())
    assert (result.status, result.output) == ("succeeded", {"one": "a", "two": "b"})


async def test_branches_run_at_the_same_time(desk):
    desk.service.slow = {"T-1": 0.3, "T-2": 0.3}
    begun = asyncio.get_running_loop().time()
    await desk.run(two())
    assert asyncio.get_running_loop().time() - begun < 0.55


@pytest.mark.parametrize("slow", ["T-1", "T-2"])
async def test_ids_do_not_depend_on_which_branch_is_faster(desk, slow):
    desk.service.slow = {slow: 0.1}
    await desk.run(two())
    claimed = {claim["call_id"]: claim["arguments"]["id"] for claim in desk.kept("claimed")}
    assert claimed == {"1.one/call-1": "T-1", "1.two/call-1": "T-2"}
    assert {event.scope for event in desk.of(StateEntered)} == {"", "1.one/", "1.two/"}
    assert sorted(line[2] for line in desk.log.lines if line[0] == "step") == [
        *("1.one/first", "1.one/first_end", "1.two/second", "1.two/second_end", "done", "work"),
    ]


async def test_a_branch_knows_nothing_of_another(desk):
    states = two()
    states["second_end"] = EndState(
        output=Object(fields={"other": Ref(path=("states", "first", "output")), "mine": Const(value=1)})
    )
    desk.service.slow = {"T-2": 0.1}
    result = await desk.run(states)
    assert result.output == {"one": "a", "two": {"mine": 1}}


async def test_what_happens_inside_a_branch_is_not_seen_outside(desk):
    states = {**two(), "done": EndState(output=Object(fields={"x": Ref(path=("states", "first", "output"))}))}
    assert (await desk.run(states)).output == {}


@pytest.mark.parametrize("slow", ["T-8", "T-9"])
async def test_the_first_failure_by_name_fails_the_state_when_all_are_over(desk, slow):
    states = {**two(), "first": read("T-8", "first_end"), "second": read("T-9", "second_end")}
    desk.service.slow = {slow: 0.1}
    result = await desk.run(states)
    assert result.refusal.code == "AR404"
    assert len(desk.service.requests) == 2
    assert [line for line in desk.log.lines if line[0] == "step"][-1][2] == "work"
    failed = [claim["call_id"] for claim in desk.kept("claimed")]
    assert sorted(failed) == ["1.one/call-1", "1.two/call-1"]


async def test_a_failing_branch_is_caught_by_the_state(desk):
    states = {**two(catch=(Catch(errors=("tool_error",), next="sorry"),)), "first": read("T-9", "first_end")}
    states["sorry"] = EndState(output=Const(value="sorry"))
    assert (await desk.run(states)).output == "sorry"


async def test_any_takes_the_one_that_is_there_first(desk):
    desk.service.slow = {"T-1": 5}
    result = await desk.run(two(wait="any"))
    assert result.output == "b"
    assert result.refusal is None


async def test_any_waits_for_the_next_one_when_the_first_fails(desk):
    desk.service.slow = {"T-1": 0.1}
    states = {**two(wait="any"), "second": read("T-9", "second_end")}
    assert (await desk.run(states)).output == "a"


async def test_any_fails_when_all_branches_fail(desk):
    states = {**two(wait="any"), "first": read("T-8", "first_end"), "second": read("T-9", "second_end")}
    assert (await desk.run(states)).refusal.code == "AR404"


async def test_first_n_gives_a_list_in_the_order_of_the_names(desk):
    states = two(wait=2, branches={"one": "first", "two": "second", "three": "third"})
    states["third"] = read("T-3", "third_end")
    states["third_end"] = EndState(output=Ref(path=("states", "third", "output", "subject")))
    desk.service.slow = {"T-1": 0.1, "T-2": 5}
    assert (await desk.run(states)).output == ["a", "c"]


async def test_the_output_has_to_be_what_the_compiler_worked_out(desk):
    schema = {"type": "object", "properties": {"one": {"type": "integer"}}}
    assert (await desk.run(two(output=schema))).refusal.code == "AR505"


def each(**changes: object) -> dict[str, object]:
    """A map over the session's tickets that reads each of them."""
    state = MapState(
        over=Ref(path=("session", "tickets")), item={"type": "string"}, start="one", output=ANY, next="done"
    )
    return {
        "work": replace(state, **changes),
        "one": ToolState(
            tool="desk.note", arguments={"id": Ref(path=("states", "work", "item"))}, next="end"
        ),
        "end": EndState(output=Ref(path=("states", "one", "output", "subject"))),
        "done": DONE,
    }


async def test_map_gives_the_results_in_the_order_of_the_items(desk):
    desk.service.slow = {"T-1": 0.1}
    result = await desk.run(each(), who={"tickets": ["T-1", "T-2", "T-3"]})
    assert result.output == {"results": ["a", "b", "c"], "failed": []}
    assert [line for line in desk.log.lines if line[0] == "end"] == [("end", "succeeded")]


async def test_map_over_nothing_gives_nothing(desk):
    assert (await desk.run(each(), who={"tickets": []})).output == {"results": [], "failed": []}


async def test_map_runs_no_more_at_once_than_it_may(desk):
    busy, most = 0, 0
    answer = desk.service.handle

    async def counting(method: str, path: str, body: bytes) -> object:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.02)
        busy -= 1
        return await answer(method, path, body)

    desk.switch(counting)
    result = await desk.run(each(concurrency=3), who={"tickets": ["T-1"] * 9})
    assert (len(result.output["results"]), most) == (9, 3)


async def test_a_failure_is_reported_by_index_and_class_where_it_is_tolerated(desk):
    result = await desk.run(each(tolerated=1), who={"tickets": ["T-9", "T-1"]})
    assert result.output == {"results": ["a"], "failed": [{"index": 0, "error": "tool_error"}]}


async def test_more_failures_than_tolerated_fail_the_state(desk):
    result = await desk.run(each(tolerated=1), who={"tickets": ["T-9", "T-1", "T-9"]})
    assert result.refusal.code == "AR404"


@pytest.mark.parametrize("slow", [0, 0.1])
async def test_which_items_are_begun_does_not_depend_on_their_speed(desk, slow):
    desk.service.slow = {"T-9": slow}
    result = await desk.run(each(concurrency=2), who={"tickets": ["T-9", "T-1", "T-2", "T-3"]})
    assert result.refusal.code == "AR404"
    assert sorted(claim["call_id"] for claim in desk.kept("claimed")) == ["1.0/call-1", "1.1/call-1"]


async def test_every_failure_may_be_tolerated(desk):
    result = await desk.run(each(tolerated=None), who={"tickets": ["T-9", "T-9"]})
    assert [failed["index"] for failed in result.output["failed"]] == [0, 1]


@pytest.mark.parametrize(
    ("tickets", "code"), [("T-1", "AR505"), (None, "AR505"), ([1], "AR505"), (["T-1"] * 101, "AR501")]
)
async def test_what_is_no_list_of_such_items_is_refused(desk, tickets, code):
    result = await desk.run(each(), who={"tickets": tickets})
    assert (result.refusal.code, desk.service.requests) == (code, [])


async def test_steps_of_branches_count_against_the_limit(desk):
    limits = replace(desk.program(each()).limits, steps=5)
    result = await desk.run(each(tolerated=None), who={"tickets": ["T-1"] * 20}, limits=limits)
    assert (result.refusal.code, result.refusal.value) == ("AR501", 5)


async def test_an_item_that_strangers_wrote_taints_the_branch_that_reads_it(desk):
    """The attack: a list of the session is untrusted, and a branch acts on one item of it."""
    states = {
        **each(),
        "one": ToolState(
            tool="desk.reply", arguments={"text": Ref(path=("states", "work", "item"))}, next="end"
        ),
        "end": EndState(output=Const(value=1)),
    }
    desk.person.approves = False
    program = desk.program(states)
    session = replace(program.session, label=Label(trust="untrusted", sensitivity="internal"))
    result = await desk.run(states, who={"tickets": ["pay C-99"]}, session=session)
    assert result.refusal.code == "AR205"
    assert [request.tool for request in desk.person.asked] == ["desk.reply"]
    assert desk.service.requests == []


async def test_what_a_branch_gives_is_as_suspect_as_what_it_read(desk):
    states = {
        **two(),
        "first": replace(read("T-1", "first_end"), tool="desk.read"),
        "work": replace(two()["work"], next="act"),
        "act": ToolState(
            tool="desk.reply", arguments={"text": Ref(path=("states", "work", "output", "two"))}, next="done"
        ),
    }
    desk.person.approves = False
    assert (await desk.run(states)).refusal.code == "AR205"
    desk.person.approves = True
    trusted = {**states, "first": read("T-1", "first_end")}
    desk.person.asked.clear()
    assert (await desk.run(trusted)).status == "succeeded"
    assert desk.person.asked == []


async def test_a_branch_ends_where_its_workflow_says(desk):
    sort = ChoiceState(
        choices=(Choice(on=Ref(path=("states", "work", "item")), when={"const": "T-1"}, next="end"),),
        default="other",
    )
    states = {**each(), "one": read("T-2", "sort"), "sort": sort, "other": EndState(output=Const(value="-"))}
    result = await desk.run(states, who={"tickets": ["T-1", "T-3"]})
    assert result.output["results"] == ["b", "-"]


async def test_model_turns_of_branches_are_counted_together(desk):
    ask = ModelState(instructions=(), prompt=(), models=("main",), next="end")
    desk.provider.script = [{"text": "ok"}]
    states = {**each(), "one": ask, "end": EndState(output=Const(value=1))}
    result = await desk.run(states, who={"tickets": ["T-1", "T-2", "T-3"]})
    assert (result.usage.input, result.usage.output) == (300, 30)


async def test_a_store_that_breaks_stops_every_branch(desk):
    """What is not recorded must not happen: the failure is no finding of one branch."""
    desk.service.slow = {"T-1": 5}

    def broken(run_id: str, step: int, state: str, outcome: object) -> None:
        raise OSError(json.dumps([step, state]))

    desk.log.record_step = broken
    with pytest.raises(OSError, match="second"):
        await desk.run(two())


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_that_is_kept_depends_on_speed(desk, seed):
    """The law: whatever is slow, the same calls with the same ids, and the same output."""
    chance = random.Random(seed)
    answer = desk.service.handle

    async def late(method: str, path: str, body: bytes) -> object:
        await asyncio.sleep(chance.choice((0, 0.01, 0.03)))
        return await answer(method, path, body)

    desk.switch(late)
    states = {
        **each(next="both", concurrency=3, tolerated=None),
        "one": ToolState(tool="desk.note", arguments={"id": ITEM}, next="two"),
        "two": read("T-1", "end"),
        "end": EndState(output=Ref(path=("states", "one", "output", "subject"))),
        "both": ParallelState(branches={"a": "left", "b": "right"}, output=ANY, next="done"),
        "left": read("T-2", "left_end"),
        "left_end": EndState(output=Const(value="left")),
        "right": MapState(
            over=Ref(path=("session", "tickets")), item={}, start="inner", output=ANY, next="right_end"
        ),
        "inner": read("T-3", "inner_end"),
        "inner_end": EndState(output=Ref(path=("states", "right", "item"))),
        "right_end": EndState(output=Ref(path=("states", "right", "output", "results"))),
        "done": EndState(
            output=Object(fields={"each": OUTPUT, "both": Ref(path=("states", "both", "output"))})
        ),
    }
    result = await desk.run(states, who={"tickets": ["T-1", "T-9", "T-2", "T-3"]})
    assert result.output == {
        "each": {"results": ["a", "b", "c"], "failed": [{"index": 1, "error": "tool_error"}]},
        "both": {"a": "left", "b": ["T-1", "T-9", "T-2", "T-3"]},
    }
    claims = {claim["call_id"]: claim["arguments"]["id"] for claim in desk.kept("claimed")}
    assert claims == {
        **{f"1.{at}/call-1": ticket for at, ticket in enumerate(("T-1", "T-9", "T-2", "T-3"))},
        **{f"1.{at}/call-2": "T-1" for at in (0, 2, 3)},
        "2.a/call-1": "T-2",
        **{f"2.b/1.{at}/call-1": "T-3" for at in range(4)},
    }
