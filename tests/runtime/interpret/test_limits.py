"""The bounds of a run: steps, turns, tokens, cost, time; and what is left of a run that was interrupted."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal

import msgspec
import pytest

from agentc_runtime.bundle import Limits
from agentc_runtime.events import RunEnded
from agentc_runtime.expressions import Const, Ref, Text
from agentc_runtime.store import Store, StoreError
from agentc_runtime.template import MAX_CHARACTERS
from agentc_runtime.workflow import Catch, EndState, Retry, ToolState

END = EndState(output=Ref(path=("states", "work", "output")))
READ = ("c", "desk_read", '{"id":"T-1"}')
SORRY = EndState(output=Const(value="sorry"))


async def test_steps(rig):
    around = ToolState(tool="desk.note", arguments={"id": Const(value="T-1")}, next="work")
    result = await rig.run({"work": around, "done": END}, limits=Limits(steps=3))
    assert (result.status, result.refusal.code) == ("failed", "AR501")
    assert result.refusal.message == "limit `steps` of 3 is used up"
    assert (result.refusal.at.line, result.refusal.value) == (15, 3)
    assert len(rig.service.requests) == 3


async def test_turns_and_the_last_one_does_nothing(rig, agent):
    """Nobody would read the answers of calls in the last turn, so they are not made."""
    rig.provider.script = [{"calls": [READ]}]
    result = await rig.run({"work": agent(turns=3), "done": END})
    assert (result.refusal.code, len(rig.provider.requests), len(rig.service.requests)) == ("AR501", 3, 2)
    assert (
        result.refusal.message == "limit `turns` of 3 in state `work` is used up, and there is no answer yet"
    )
    assert result.refusal.at.line == 20


async def test_a_limit_can_be_caught(rig, agent):
    rig.provider.script = [{"calls": [READ]}]
    work = agent(turns=2, catch=(Catch(errors=("limit",), next="sorry"),))
    result = await rig.run({"work": work, "done": END, "sorry": SORRY})
    assert result.output == "sorry"


async def test_tokens(rig, agent):
    rig.provider.script = [{"calls": [READ]}]
    result = await rig.run({"work": agent(), "done": END}, limits=Limits(tokens=200))
    assert (result.refusal.code, len(rig.provider.requests)) == ("AR501", 2)
    assert result.refusal.message == "limit `tokens` of 200 is used up: 220 so far"
    assert result.usage.input + result.usage.output == 220


async def test_cost(rig, agent):
    rig.provider.script = [{"calls": [READ]}]
    result = await rig.run({"work": agent(), "done": END}, limits=Limits(cost_usd="0.003"))
    assert (result.refusal.code, len(rig.provider.requests)) == ("AR501", 2)
    assert result.refusal.message == "limit `cost_usd` of 0.003 is used up: 0.004000 so far"
    assert result.cost == Decimal("0.004")


async def test_a_cost_limit_lets_no_model_through_that_has_no_prices(rig, agent):
    rig.provider.script = [{"text": "hello"}]
    states = {"work": agent(), "done": END}
    models = dict(rig.program(states).models)
    models["main"] = msgspec.structs.replace(models["main"], prices=None)
    result = await rig.run(states, models=models, limits=Limits(cost_usd="1"))
    assert (result.refusal.code, rig.provider.requests) == ("AR501", [])
    assert "`main` has no `prices`" in result.refusal.message


async def test_without_prices_the_cost_is_not_known(rig, agent):
    rig.provider.script = [{"text": "hello"}]
    states = {"work": agent(), "done": END}
    models = dict(rig.program(states).models)
    models["main"] = msgspec.structs.replace(models["main"], prices=None)
    result = await rig.run(states, models=models)
    assert (result.status, result.cost) == ("succeeded", None)


@pytest.mark.parametrize("who", ["model", "service"])
async def test_time(rig, agent, who):
    rig.provider.script = ["hang"] if who == "model" else [{"calls": [READ]}]
    rig.service.hang = True
    result = await rig.run({"work": agent(), "done": END}, limits=Limits(time_ms=300))
    assert (result.status, result.refusal.code) == ("failed", "AR501")
    assert result.refusal.message == "limit `time` of 0.3 s is used up"
    assert rig.log.lines[-1] == ("end", "failed")


async def test_time_is_not_caught_by_a_state(rig, agent):
    rig.provider.script = ["hang"]
    work = agent(catch=(Catch(errors=("any",), next="sorry"),), retry=Retry(max_attempts=9, backoff_ms=1))
    result = await rig.run({"work": work, "done": END, "sorry": SORRY}, limits=Limits(time_ms=200))
    assert (result.status, result.refusal.code) == ("failed", "AR501")


async def test_a_prompt_that_grows_too_large(rig, agent):
    result = await rig.run({"work": agent(prompt=(Text(text="x" * (MAX_CHARACTERS + 1)),)), "done": END})
    assert result.refusal.code == "AR505"
    assert "`prompt` can't be written" in result.refusal.message


async def test_a_cancelled_run_is_recorded_and_its_effect_accounted_for(rig):
    rig.service.hang = True
    work = ToolState(tool="desk.reply", arguments={"text": Const(value="hi")}, next="done")
    running = asyncio.create_task(rig.run({"work": work, "done": END}))
    await asyncio.wait_for(rig.service.asked.wait(), 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert rig.log.lines[-1] == ("end", "cancelled")
    ended = rig.of(RunEnded)[0]
    assert (ended.status, ended.output, ended.refusal, ended.calls) == ("cancelled", None, None, 1)
    assert rig.kept("settled")[0]["refusal"]["code"] == "AR407"


async def test_a_journal_that_fails_stops_the_run(rig, tmp_path):
    """What can't be recorded must not happen: the error goes on, and nothing was sent."""
    rig.journal = Store(tmp_path / "runs.db")
    rig.journal.close()
    work = ToolState(tool="desk.reply", arguments={"text": Const(value="hi")}, next="done")
    with pytest.raises(StoreError):
        await rig.run({"work": work, "done": END})
    assert rig.service.requests == []
    assert rig.log.lines[-1] == ("end", "cancelled")


async def test_a_store_keeps_the_run(rig, agent, tmp_path):
    rig.provider.script = [{"calls": [READ, READ]}, {"text": "done"}]
    with Store(tmp_path / "runs.db") as store:
        rig.journal = rig.log = store
        result = await rig.run({"work": agent(), "done": END}, limits=Limits(calls_per_turn=1))
        assert result.status == "succeeded"
    with sqlite3.connect(tmp_path / "runs.db") as database:
        assert database.execute("SELECT status, output FROM runs").fetchall() == [("succeeded", '"done"')]
        steps = database.execute("SELECT step, state, status, outcome FROM steps ORDER BY step").fetchall()
        assert steps == [(1, "work", "succeeded", '"done"'), (2, "done", "succeeded", '"done"')]
        assert database.execute("SELECT count(*) FROM calls WHERE settled IS NOT NULL").fetchone() == (1,)
    database.close()
