"""Checks of the whole log: one at a time, and nobody waits behind another one."""

from __future__ import annotations

import asyncio

import pytest

from agentc_runtime.audit import AuditReport
from agentc_runtime.store import Store
from agentc_service.audits import Checking
from agentc_service.problems import ProblemError


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
