"""Lists of runs: those of one tenant, whatever the others have, and in short looks."""

from __future__ import annotations

import pytest

from agentc_service import listing
from agentc_service.listing import list_runs
from agentc_service.tables import ServedRun, open_service_ledger, own_run

STARTED = {"version": "1", "bundle": "d", "environment": "local", "input": {}, "session": {}}


@pytest.fixture
def store(tmp_path):
    """Two tenants' runs in turn; every third one is over, every fourth one is another agent's."""
    opened = open_service_ledger(str(tmp_path / "runs.db"))
    for number in range(24):
        run_id = f"run-{number:02}"
        opened.start_run(run_id, agent="triage" if number % 4 else "other", **STARTED)
        if number % 3 == 0:
            opened.end_run(run_id, "succeeded", output=None, refusal=None)
        with opened.transaction() as within:
            run = ServedRun(run_id, "acme" if number % 2 else "zoo", "ana" if number % 8 < 4 else "ben", None)
            own_run(within, run, idempotency_key=None, request_digest="d", trace={})
    yield opened
    opened.close()


def found(store, *, limit=50, **wanted):
    asked = {"tenant": "acme", "subject": None, "status": None, "agent": None, "before": None, **wanted}
    return [int(run.run_id[4:]) for run in list_runs(store, limit=limit, **asked)]


WANTED = (
    ({}, [23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1]),
    ({"limit": 3}, [23, 21, 19]),
    ({"before": "run-07"}, [5, 3, 1]),
    ({"subject": "ana"}, [19, 17, 11, 9, 3, 1]),
    ({"status": "succeeded"}, [21, 15, 9, 3]),
    ({"status": "succeeded", "subject": "ana", "before": "run-09"}, [3]),
    ({"status": "waiting"}, []),
    ({"tenant": "zoo", "agent": "other"}, [20, 16, 12, 8, 4, 0]),
    ({"tenant": "zoo", "agent": "other", "limit": 2, "before": "run-16"}, [12, 8]),
    ({"tenant": "none"}, []),
)


@pytest.mark.parametrize("look", [1, 2, 5, 12, 5000])
def test_the_newest_of_those_that_are_wanted(store, monkeypatch, look):
    monkeypatch.setattr(listing, "LOOK", look)
    for wanted, numbers in WANTED:
        assert found(store, **wanted) == numbers, wanted


def test_runs_go_on_while_few_are_looked_for_among_many(store, monkeypatch):
    looks = []
    transaction = store.transaction
    monkeypatch.setattr(store, "transaction", lambda: looks.append(1) or transaction())
    monkeypatch.setattr(listing, "LOOK", 5)
    assert found(store, status="waiting") == []
    assert len(looks) == 3, "five runs, five, and the two that are left"
