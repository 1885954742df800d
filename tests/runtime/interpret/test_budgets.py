"""Budgets over runs: a model is not asked when what it may cost is not there any more, whoever else runs."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agentc_runtime.budgets import units
from agentc_runtime.bundle import Limits
from agentc_runtime.events import ModelAsked
from agentc_runtime.expressions import Ref
from agentc_runtime.models import client
from agentc_runtime.models.cost import most_usd
from agentc_runtime.store import Store
from agentc_runtime.workflow import EndState

replace = msgspec.structs.replace
END = EndState(output=Ref(path=("states", "work", "output")))
#: A turn of the rig costs 0.002 US dollars, and may cost less than 0.05 with so short an answer.
SHORT = 100
TURN = Decimal("0.002")


@pytest.fixture(params=["memory", "sqlite"])
def budgeted(rig: Any, agent: Any, request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """Runs an agent whose answers are short, over each kind of journal."""
    store = Store(tmp_path / "runs.db") if request.param == "sqlite" else None
    if store is not None:
        rig.journal = store

    async def run(limits: dict[str, Any], session: object = None, *, models: Any = None) -> Any:
        program = rig.program({"work": agent(), "done": END})
        short = {alias: replace(model, max_output_tokens=SHORT) for alias, model in program.models.items()}
        rig.log = _Unkept()
        return await rig.run(
            {"work": agent(), "done": END}, who=session or {}, limits=Limits(**limits), models=models or short
        )

    yield run
    if store is not None:
        store.close()


class _Unkept:
    """The runs themselves are not what is looked at."""

    def start_run(self, run_id: str, **said: object) -> None: ...
    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None: ...
    def end_run(self, run_id: str, status: str, **said: object) -> None: ...


async def test_a_day_is_used_up_and_nobody_is_asked(rig, budgeted):
    rig.provider.script = [{"text": "ok"}]
    limits = {"cost_per_day_usd": "0.035"}
    statuses = []
    for _ in range(30):
        result = await budgeted(limits)
        statuses.append(result.status)
        if result.status == "failed":
            break
    assert result.refusal.code == "AR540"
    assert "limit `cost_per_day_usd` of 0.035 may not hold the next model turn" in result.refusal.message
    asked = len(rig.provider.requests)
    assert asked == statuses.count("succeeded") > 1
    # stopped, and not overspent
    assert asked * TURN <= Decimal("0.035")
    assert len(rig.of(ModelAsked)) == asked


async def test_a_session_and_a_tenant_have_budgets_of_their_own(rig, budgeted):
    rig.provider.script = [{"text": "ok"}]
    for budget, key in (("cost_per_session_usd", "session_key"), ("cost_per_tenant_usd", "tenant_key")):
        limits = {budget: "0.02", key: "who"}
        first = [await budgeted(limits, {"who": "a"}) for _ in range(20)]
        assert [result.status for result in first][-1] == "failed"
        assert first[-1].refusal.code == "AR540"
        assert (await budgeted(limits, {"who": "b"})).status == "succeeded"


async def test_runs_at_once_do_not_overspend_together(rig, budgeted):
    rig.provider.script = [{"text": "ok"}]
    results = await asyncio.gather(*(budgeted({"cost_per_day_usd": "0.04"}) for _ in range(20)))
    done = [result for result in results if result.status == "succeeded"]
    assert 0 < len(done) < 20
    assert len(rig.provider.requests) == len(done)
    assert len(done) * TURN <= Decimal("0.04")


@pytest.mark.parametrize("session", [{}, {"who": ""}, {"who": None}, {"other": "a"}])
async def test_whose_budget_it_is_has_to_be_known(rig, budgeted, session):
    rig.provider.script = [{"text": "ok"}]
    result = await budgeted({"cost_per_tenant_usd": "5", "tenant_key": "who"}, session)
    assert result.refusal.code == "AR541"
    assert rig.provider.requests == []


async def test_a_model_without_prices_is_not_asked(rig, budgeted):
    models = {name: replace(model, prices=None) for name, model in rig.program({"done": END}).models.items()}
    result = await budgeted({"cost_per_day_usd": "5"}, models=models)
    assert result.refusal.code == "AR541"
    assert "model `main` has no `prices`" in result.refusal.message
    assert rig.provider.requests == []


async def test_a_turn_that_the_provider_refused_costs_nothing(rig, budgeted, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.provider.script = [400]
    for _ in range(20):
        assert (await budgeted({"cost_per_day_usd": "0.035"})).refusal.code == "AR503"
    rig.provider.script = [{"text": "ok"}]
    assert (await budgeted({"cost_per_day_usd": "0.035"})).status == "succeeded"


async def test_no_turn_costs_more_than_what_was_reserved(rig, budgeted):
    rig.provider.script = [{"calls": [("c1", "desk_read", '{"id":"T-1"}')]}, {"text": "ok"}]
    await budgeted({"cost_per_day_usd": "5"})
    for asked in rig.of(ModelAsked):
        body = msgspec.json.encode([asked.request.instructions, asked.request.messages, asked.request.tools])
        most = most_usd(asked.request)
        price = Decimal(asked.request.model.prices.input) / 1_000_000
        assert most > len(body) * price


def test_amounts_are_rounded_up():
    assert units(Decimal("0.000000000001")) == 1
    assert units(Decimal("0.0000000000001")) == 1
    assert units(Decimal("1.5")) == 1_500_000_000_000
