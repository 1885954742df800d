"""Budgets of durable runs: in both databases, by processes at once, and once for a turn of each key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agentc_runtime.budgets import Spending
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
