"""What runs tell is followed at once where they are carried out, and in no haste while they tell nothing."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from agentc_runtime.events import RunEnded, StateEnded
from agentc_runtime.journal import StoreError
from agentc_runtime.models.types import Usage
from agentc_service import events
from agentc_service.events import EventStreams
from agentc_service.tables import (
    ServedRun,
    StoredEvent,
    events_after,
    keep_events,
    open_service_ledger,
    own_run,
)

STARTED = {
    "agent": "triage",
    "version": "1",
    "bundle": "d",
    "environment": "local",
    "input": {},
    "session": {},
}
ENDED = RunEnded(
    run_id="run-1", status="succeeded", output=None, refusal=None, usage=Usage(), cost_usd=None, seconds=1.0,
    calls=0, refused=0,
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    """A store with one run that goes on."""
    opened = open_service_ledger(str(tmp_path / "runs.db"))
    opened.start_run("run-1", **STARTED)
    with opened.transaction() as within:
        run = ServedRun("run-1", "acme", "ana", None)
        own_run(within, run, idempotency_key=None, request_digest="d", trace={})
    yield opened
    opened.close()


async def test_a_run_that_tells_nothing_is_looked_at_less_and_less(ledger, monkeypatch):
    monkeypatch.setattr(events, "FLUSH", 0.005)
    monkeypatch.setattr(events, "LONGEST", 0.1)
    looks = []

    async def over():
        looks.append(1)
        return False

    async def follow():
        async for _ in EventStreams(ledger).follow("run-1", 0, over):
            pytest.fail("it told nothing")

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(follow(), 1)
    assert 2 <= len(looks) <= 20, "two hundred of the shortest"


async def test_whatever_it_tells_then_is_given_at_once_and_looked_for_often_again(ledger, monkeypatch):
    monkeypatch.setattr(events, "LONGEST", 60.0)
    monkeypatch.setattr(events, "FLUSH", 30.0)
    streams = EventStreams(ledger)
    told = streams.observer("run-1", 0)

    async def not_over():
        return False

    following = streams.follow("run-1", 0, not_over)
    async with asyncio.timeout(10):
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        told(StateEnded(state="work", next="end"))
        assert (await first).number == 1
        second = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        told(ENDED)
        assert (await second).number == 2
        with pytest.raises(StopAsyncIteration):
            await anext(following)


async def test_a_run_of_another_process_is_followed_through_the_store(ledger, monkeypatch):
    monkeypatch.setattr(events, "LONGEST", 0.05)
    found = []

    async def not_over():
        return False

    async def follow():
        async for event in EventStreams(ledger).follow("run-1", 0, not_over):
            found.append(event.number)

    async with asyncio.timeout(10):
        task = asyncio.create_task(follow())
        for number, text in ((1, '{"event":"said"}'), (2, '{"event":"run_ended"}')):
            await asyncio.sleep(0.1)
            keep_events(ledger, [("run-1", StoredEvent(number, "2026-01-01", text))])
        await task
    assert found == [1, 2]


async def test_what_is_being_written_is_followed_however_long_that_takes(ledger, monkeypatch):
    monkeypatch.setattr(events, "LATE", 0.05)
    streams, busy = EventStreams(ledger), threading.Event()

    def slowly(ledger, taken):
        busy.wait(10)
        keep_events(ledger, taken)

    monkeypatch.setattr(events.tables, "keep_events", slowly)
    told = streams.observer("run-1", 0)
    told(StateEnded(state="work", next="end"))
    told(ENDED)
    writing = asyncio.create_task(streams.write())
    await asyncio.sleep(0.05)

    async def over():
        return True

    assert [event.number async for event in streams.follow("run-1", 0, over)] == [1, 2]
    busy.set()
    await writing
    assert [event.number for event in events_after(ledger, "run-1", 0)] == [1, 2]


async def test_a_run_that_goes_on_counts_what_it_told_before_that_is_not_written_yet(ledger):
    streams = EventStreams(ledger)
    told = streams.observer("run-1", 0)
    told(StateEnded(state="work", next="end"))
    again = streams.observer("run-1", streams.begun("run-1").last_event)
    again(ENDED)
    await streams.write()
    assert [event.number for event in events_after(ledger, "run-1", 0)] == [1, 2]


async def test_what_could_not_be_written_is_written_the_next_time(ledger, monkeypatch):
    streams = EventStreams(ledger)
    streams.observer("run-1", 0)(StateEnded(state="work", next="end"))

    def full(ledger, taken):
        raise StoreError("disk is full", "runs.db")

    with monkeypatch.context() as broken:
        broken.setattr(events.tables, "keep_events", full)
        await streams.write()
    streams.observer("run-1", 1)(ENDED)
    await streams.write()
    assert [event.number for event in events_after(ledger, "run-1", 0)] == [1, 2]
