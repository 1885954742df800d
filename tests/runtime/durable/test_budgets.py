"""Budgets of durable runs: in both databases, by processes at once, and once for a turn of each key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from agentc_runtime.budgets import Spending
from agentc_runtime.durable.erasing import erase_run
from agentc_runtime.durable.journal import DurableJournal
from agentc_runtime.durable.ledgers import open_ledger


def turn(number: int, amount: int = 10, limit: int = 100) -> Spending:
    return Spending(
        run_id=f"run-{number}",
        turn="model-1@triage",
        agent="triage",
        session='"s"',
        tenant='"t"',
        amount=amount,
        limits={"cost_per_tenant_usd": limit},
    )


def test_processes_do_not_go_over_together(url: str, ledger: Any) -> None:
    def reserve(number: int) -> str | None:
        opened = open_ledger(url)
        try:
            return opened.reserve(turn(number))
        finally:
            opened.close()

    assert reserve(100) is None
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(reserve, range(20)))
    assert answers.count(None) == 9
    assert answers.count("cost_per_tenant_usd") == 11


async def test_a_turn_that_is_asked_for_again_after_a_crash_is_counted_once(
    ledger: Any, running: str
) -> None:
    journal = DurableJournal(ledger, running, 1)
    assert await journal.reserve(turn(1, 90)) is None
    assert await DurableJournal(ledger, running, 1).reserve(turn(1, 90)) is None
    assert await journal.reserve(turn(2, 20)) == "cost_per_tenant_usd"
    journal.spend("run-1", "model-1@triage", 5)
    assert await journal.reserve(turn(2, 95)) is None


def test_amounts_are_large_enough_for_any_budget(ledger: Any) -> None:
    million = 10**6 * 10**12
    for number in range(3):
        assert ledger.reserve(turn(number, million, limit=4 * million)) is None
    assert ledger.reserve(turn(4, 2 * million, limit=4 * million)) == "cost_per_tenant_usd"


def test_of_who_is_forgotten_no_budget_tells_but_the_day_is_counted_still(ledger: Any, running: str) -> None:
    with ledger.transaction() as within:
        within.execute("UPDATE runs SET session = ? WHERE run_id = 'run-1'", ('{"customer_id":"C-17"}',))
    ledger.reserve(msgspec.structs.replace(turn(1, 60), session='"C-17"'))
    ledger.end_run("run-1", "succeeded", output={}, refusal=None)
    assert erase_run(ledger, "run-1", by="ops", reason="asked to")
    with ledger.transaction() as within:
        rows = within.execute("SELECT session_key, tenant_key, amount FROM spending").fetchall()
    assert rows == [("", '"t"', 60)]
    assert ledger.reserve(turn(2, 50)) == "cost_per_tenant_usd"


def test_a_turn_of_another_session_is_not_taken_from_this_ones_total(ledger: Any) -> None:
    limits: dict[Any, int] = {"cost_per_session_usd": 100}
    mine = msgspec.structs.replace(turn(1, 60), limits=limits)
    assert ledger.reserve(mine) is None
    assert ledger.reserve(msgspec.structs.replace(mine, amount=100)) is None, "the same turn, counted once"
    assert ledger.reserve(msgspec.structs.replace(mine, turn="model-2@triage")) == "cost_per_session_usd"
    moved = msgspec.structs.replace(mine, session='"x"', amount=100)
    assert ledger.reserve(moved) is None
    assert ledger.reserve(msgspec.structs.replace(moved, amount=101)) == "cost_per_session_usd"


def test_budgets_are_added_up_from_an_index_alone(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "runs.db"))
    with ledger.transaction() as within:
        for condition, index in (
            ("agent = 'a' AND session_key = 's'", "spending_of_session"),
            ("agent = 'a' AND tenant_key = 't' AND day = 'd'", "spending_of_day"),
            ("agent = 'a' AND day = 'd'", "spending_of_day"),
        ):
            sql = f"EXPLAIN QUERY PLAN SELECT sum(amount) FROM spending WHERE {condition}"
            plan = " ".join(str(row[3]) for row in within.execute(sql).fetchall())
            assert f"USING COVERING INDEX {index}" in plan, plan
    ledger.close()
