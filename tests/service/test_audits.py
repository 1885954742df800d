"""Checks of the whole log: one at a time, and nobody waits behind another one."""

from __future__ import annotations

import asyncio

import pytest

from agentc_runtime.audit import AuditReport
from agentc_runtime.store import Store
from agentc_service import audits
from agentc_service.audits import Checking, Search, list_records
from agentc_service.problems import ProblemError
from agentc_service.tables import ServedRun, open_service_ledger, own_run


async def test_who_comes_during_a_check_is_told_to_come_again(tmp_path, monkeypatch):
    ledger = Store(tmp_path / "runs.db")
    checking = Checking(str(tmp_path / "runs.db"), ledger)
    going, end = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(head):
        loop.call_soon_threadsafe(going.set)
        asyncio.run_coroutine_threadsafe(end.wait(), loop).result(10)
        return AuditReport(ok=True, records=0, head="0" * 64)

    monkeypatch.setattr(checking, "_verified", slowly)
    first = asyncio.create_task(checking.verify(None))
    await going.wait()
    with pytest.raises(ProblemError, match="being checked for somebody else") as refused:
        await checking.verify(None)
    assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "10"})
    end.set()
    assert (await first).ok
    ledger.close()


async def test_the_last_check_is_remembered_but_not_one_that_missed_a_head(tmp_path):
    ledger = Store(tmp_path / "runs.db")
    checking = Checking(str(tmp_path / "runs.db"), ledger)
    assert checking.last is None
    report = await checking.verify(None)
    assert checking.last is not None
    assert checking.last[0] == report
    assert not (await checking.verify("f" * 64)).ok
    assert checking.last[0] == report
    ledger.close()


def run_of(store, run_id, tenant, subject="ana"):
    """A run of a tenant, as a service keeps it."""
    started = {"agent": "triage", "version": "1", "bundle": "d", "environment": "local"}
    store.start_run(run_id, **started, input={}, session={})
    with store.transaction() as within:
        run = ServedRun(run_id, tenant, subject, None)
        own_run(within, run, idempotency_key=None, request_digest="d", trace={})


@pytest.mark.parametrize("newest_first", [True, False])
def test_however_few_records_are_looked_at_at_a_time_the_same_are_found(tmp_path, monkeypatch, newest_first):
    store = open_service_ledger(str(tmp_path / "runs.db"))
    assert list_records(store, "acme", Search(run_id="run-1"), limit=5, newest_first=newest_first) == ()
    for number in range(12):
        run_of(store, f"run-{number}", "acme" if number % 3 else "other", "ana" if number % 2 else "ben")
        store.record(
            f"run-{number}", "approval_decided", {"by": f"lee ({'acme' if number % 3 else 'other'})"}
        )
    searches = (
        Search(), Search(by="lee"), Search(by="ana"), Search(kind="run_started"), Search(run_id="run-4"),
        Search(after=7, before=19), Search(after=23), Search(before=1), Search(agent="other"),
    )  # fmt: skip

    def found(limit):
        return [
            [one.seq for one in list_records(store, "acme", search, limit=limit, newest_first=newest_first)]
            for search in searches
        ]

    whole = {limit: found(limit) for limit in (1, 4, 100)}
    assert [len(seqs) for seqs in whole[100]] == [16, 8, 4, 8, 2, 8, 1, 0, 0]
    for size in (1, 3, 24, 25):
        monkeypatch.setattr(audits, "LOOK", size)
        assert {limit: found(limit) for limit in whole} == whole
    store.close()


def test_runs_go_on_while_a_long_log_is_searched(tmp_path, monkeypatch):
    store = open_service_ledger(str(tmp_path / "runs.db"))
    run_of(store, "run-1", "acme")
    for number in range(40):
        store.record("run-1", "page", {"page": number})
    looks = []
    transaction = store.transaction
    monkeypatch.setattr(store, "transaction", lambda: looks.append(1) or transaction())
    monkeypatch.setattr(audits, "LOOK", 10)
    assert list_records(store, "acme", Search(kind="refused"), limit=5) == ()
    assert len(looks) == 1 + 5, "the head, and five looks at ten records each"
    store.close()
