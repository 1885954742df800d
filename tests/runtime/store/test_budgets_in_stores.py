"""Budgets in a store: what processes that take turns reserve together never goes over, in either database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentc_runtime.budgets import Spending
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.store import Store


def turn(number: int, amount: int = 10, **changes: object) -> Spending:
    said: dict[str, object] = {
        "run_id": f"run-{number}",
        "turn": "model-1@triage",
        "agent": "triage",
        "session": '"s"',
        "tenant": '"t"',
        "amount": amount,
        "limits": {"cost_per_day_usd": 100},
    }
    return Spending(**{**said, **changes})  # type: ignore[arg-type]


def test_two_stores_on_one_file_do_not_go_over_together(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    Store(path).close()

    def reserve(number: int) -> str | None:
        with Store(path) as store:
            return store.reserve(turn(number))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(reserve, range(30)))
    assert answers.count(None) == 10
    assert answers.count("cost_per_day_usd") == 20


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_reserved_spent_and_reserved_again(kind: str, tmp_path: Path) -> None:
    journal = MemoryJournal() if kind == "memory" else Store(tmp_path / "runs.db")
    assert journal.reserve(turn(1, 90)) is None
    assert journal.reserve(turn(2, 20)) == "cost_per_day_usd"
    # the same turn, asked for again after a crash, is counted once
    assert journal.reserve(turn(1, 95)) is None
    journal.spend("run-1", "model-1@triage", 5)
    assert journal.reserve(turn(2, 95)) is None
    assert journal.reserve(turn(3, 1)) == "cost_per_day_usd"
    # another agent, another session, another tenant
    assert journal.reserve(turn(4, 100, agent="other")) is None
    for name, other in (("cost_per_session_usd", "session"), ("cost_per_tenant_usd", "tenant")):
        assert journal.reserve(turn(5, 50, limits={name: 100})) == name
        assert journal.reserve(turn(6, 100, limits={name: 100}, **{other: '"new"'})) is None
        journal.spend("run-6", "model-1@triage", 0)
