"""Workers that watch each other, and runs that each is handed to one of them."""

from __future__ import annotations

from agentc_runtime.durable.fleet import Watch, alive, claim_queued
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.runs import create_run
from agentc_runtime.ledger import Ledger

from .conftest import bundle


def beat(ledger: Ledger, worker: str) -> None:
    with ledger.transaction() as within:
        within.execute(
            "INSERT INTO workers (worker, beats, started) VALUES (?, 0, '')"
            " ON CONFLICT (worker) DO UPDATE SET beats = workers.beats + 1",
            (worker,),
        )


def test_who_is_silent_for_long_is_dead(ledger: Ledger) -> None:
    now = [100.0]
    watch = Watch(ledger, 10, lambda: now[0])
    beat(ledger, "one")
    beat(ledger, "two")
    assert watch.look() == {"one", "two"}
    now[0] += 9
    beat(ledger, "one")
    watch.look()
    assert watch.silent() == []
    now[0] += 1
    beat(ledger, "one")
    watch.look()
    assert watch.silent() == ["two"]
    # of two watchers one buries
    other = Watch(ledger, 10, lambda: now[0])
    assert [watch.bury("two"), other.bury("two")] == [True, False]
    watch.look()
    assert watch.silent() == []


def test_a_watcher_that_has_slept_buries_nobody_at_once(ledger: Ledger) -> None:
    now = [0.0]
    watch = Watch(ledger, 10, lambda: now[0])
    beat(ledger, "one")
    watch.look()
    now[0] += 3600
    beat(ledger, "one")
    watch.look()
    assert watch.silent() == []


def test_a_worker_is_listed_while_it_lives(ledger: Ledger) -> None:
    watch = Watch(ledger, 10)
    with alive(ledger, "one"):
        assert watch.look() == {"one"}
    assert watch.look() == set()


def test_each_run_is_handed_over_once(url: str, ledger: Ledger) -> None:
    for number in range(5):
        create_run(
            ledger, bundle(), f"run-{number}", environment="local", input={}, session={}, handed=number == 4
        )
    other = open_ledger(url)
    try:
        taken = [*claim_queued(ledger, 3), *claim_queued(other, 3), *claim_queued(ledger, 3)]
    finally:
        other.close()
    assert taken == ["run-0", "run-1", "run-2", "run-3"]
