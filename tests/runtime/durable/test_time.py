"""The time that a run was worked on counts against its limit, also when the process that did it has died."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentc_runtime.durable import driver, engine
from agentc_runtime.durable.driver import RunDriver
from agentc_runtime.ledger import Ledger


class Doors:
    """Nothing at all."""

    def tools(self, live: Any) -> Any:
        return live

    def models(self, secrets: Any, live: Any) -> Any:
        return live

    def observer(self, bundle: Any, environment: str, secrets: Any) -> Any:
        return lambda event: None


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Runs take until they are told to end, and their time is kept often."""
    end = asyncio.Event()

    async def run(*_: object, **__: object) -> None:
        await end.wait()
        raise RuntimeError("never seen")

    async def stop(run_id: str) -> None:
        """No engine carries the run out."""

    monkeypatch.setattr(driver, "run_bundle", run)
    monkeypatch.setattr(driver, "LOOK", 0.02)
    monkeypatch.setattr(driver, "COUNT", 0.05)
    monkeypatch.setattr(engine, "stop_workflow", stop)
    return end


def used(ledger: Ledger) -> int:
    with ledger.transaction() as within:
        row = within.execute("SELECT used_ms FROM durable_runs").fetchone()
    assert row is not None
    return int(str(row[0]))


async def until(ledger: Ledger, milliseconds: int) -> None:
    for _ in range(1500):
        if used(ledger) >= milliseconds:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"only {used(ledger)} ms are kept")


async def test_what_a_process_did_that_dies_counts(ledger: Ledger, running: str, long: asyncio.Event) -> None:
    dying = asyncio.create_task(RunDriver(ledger, Doors(), {}).drive(running))
    await until(ledger, 200)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    before = used(ledger)
    again = asyncio.create_task(RunDriver(ledger, Doors(), {}).drive(running))
    await until(ledger, before + 100)
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_no_moment_counts_twice(ledger: Ledger, running: str, long: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    working = asyncio.create_task(RunDriver(ledger, Doors(), {}).drive(running))
    await until(ledger, 200)
    long.set()
    assert await working == "needs_attention"
    assert 200 <= used(ledger) <= (loop.time() - begun) * 1000
