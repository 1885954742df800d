"""What runs tell while they go on: kept in numbered order, given to followers, resumable at any number."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from agentc_runtime.events import Event, as_data
from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger

from . import tables
from .tables import BegunRun, StoredEvent

_LOG = logging.getLogger("agentc.service")
#: Seconds between two writes of events, all runs together, and between two looks at runs of other workers.
FLUSH: Final = 0.2
#: Seconds between two looks at a run that has told nothing for a while: it may wait for days.
LONGEST: Final = 2.0
#: Seconds for which a run that is over may still have something to tell.
LATE: Final = 2.0
#: How the text of a run's last event begins, and that of one that stops until somebody does something.
ENDED: Final = '{"event":"run_ended"'
PARKED: Final = '{"event":"run_parked"'


class EventStreams:
    """The events of the runs of this process, and of others by way of the store."""

    def __init__(self, ledger: Ledger) -> None:
        """Made in the event loop in which it is followed."""
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._begun: dict[str, BegunRun] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._unwritten: list[tuple[str, StoredEvent]] = []
        self._followers: dict[str, set[asyncio.Event]] = {}

    def begins(self, run_id: str, trace: Mapping[str, str]) -> None:
        """A run of this process, which has told nothing yet: it need not be looked up."""
        self._begun[run_id] = BegunRun(trace, 0)
        self._ends[run_id] = asyncio.Event()

    def over(self, run_id: str) -> None:
        """A run of this process has stopped."""
        self._begun.pop(run_id, None)
        self._ends.pop(run_id).set()

    async def ended(self, run_id: str) -> None:
        """Wait until a run of this process has told its end, or has stopped."""
        end = self._ends.get(run_id)
        if end is not None:
            await end.wait()

    def begun(self, run_id: str) -> BegunRun:
        """What is known of a run that begins or goes on in this process."""
        known = self._begun.pop(run_id, None)
        if known is not None:
            return known
        # before the store is read: what is written meanwhile is in both, and in the other order in neither
        told = [event.number for owner, event in tuple(self._unwritten) if owner == run_id]
        found = tables.begun_run(self._ledger, run_id)
        return found._replace(last_event=max(found.last_event, *told)) if told else found

    def observer(self, run_id: str, number: int) -> Callable[[Event], None]:
        """Who is told of the events of one run that follow `number`, in whichever thread it runs."""

        def observe(event: Event) -> None:
            nonlocal number
            number += 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            stored = StoredEvent(number, now, msgspec.json.encode(as_data(event)).decode())
            if threading.get_ident() == self._thread:
                self._told(run_id, stored)
            else:
                self._loop.call_soon_threadsafe(self._told, run_id, stored)

        return observe

    def _told(self, run_id: str, event: StoredEvent) -> None:
        self._unwritten.append((run_id, event))
        for follower in self._followers.get(run_id, ()):
            follower.set()
        if run_id in self._ends and event.event.startswith(ENDED):
            self._ends[run_id].set()

    async def write(self) -> None:
        """Write what is there to be written. What can't be written now stays for the next time."""
        taken = tuple(self._unwritten)
        if not taken:
            return
        try:
            await asyncio.to_thread(tables.keep_events, self._ledger, taken)
        except StoreError as error:
            _LOG.warning("events can't be kept: %s", error)
        else:
            # only now: whoever follows looks here for what is not in the store
            del self._unwritten[: len(taken)]

    async def write_forever(self) -> None:
        """Write every `FLUSH` seconds until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(FLUSH)
                await self.write()
        finally:
            await self.write()

    async def follow(
        self,
        run_id: str,
        after: int,
        over: Callable[[], Awaitable[bool]],
        last: tuple[str, ...] = (ENDED,),
    ) -> AsyncGenerator[StoredEvent]:
        """The run's events that follow number `after`, until it is `over` and all are told.

        `last` is how the event begins that is the last one of what is over.
        """
        new = asyncio.Event()
        loop = self._loop
        news, wait = loop.time(), FLUSH
        self._followers.setdefault(run_id, set()).add(new)
        try:
            while True:
                new.clear()
                ended = await over()
                pending = [event for owner, event in self._unwritten if owner == run_id]
                stored = await asyncio.to_thread(tables.events_after, self._ledger, run_id, after)
                told = {event.number: event for event in (*stored, *pending)}
                begun = after
                while after + 1 in told:
                    after += 1
                    news = loop.time()
                    yield told[after]
                    if told[after].event.startswith(ENDED):
                        return
                if (
                    ended
                    and after == begun
                    and (
                        loop.time() - news >= LATE
                        or await asyncio.to_thread(self._told_all, run_id, after, last)
                    )
                ):
                    return
                wait = FLUSH if ended or after > begun else min(LONGEST, wait * 1.5)
                if after == begun:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await new.wait()
        finally:
            self._followers[run_id].discard(new)
            if not self._followers[run_id]:
                del self._followers[run_id]

    def _told_all(self, run_id: str, after: int, last: tuple[str, ...]) -> bool:
        """Whether the end of the run is an event that is not after number `after`."""
        found = tables.events_after(self._ledger, run_id, tables.last_event(self._ledger, run_id) - 1)
        return bool(found) and found[0].number <= after and found[0].event.startswith(last)
