"""The doors of a run to what answers differently each time: models, tools, timers, the clock.

The interpreter itself is a function of what came through them, so an engine that remembers it can run a run
again, and it comes to the same place: nothing in `interpret` waits, or decides by a clock or by chance, in
another way. Keys say which passage it is, are the same each time, and never stand for two of one run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from ..calls import Decision, Returned
from ..models.types import ModelResponse
from ..refusals import Refusal
from ..retrieval import Passage

T = TypeVar("T")


class LateError(TimeoutError):
    """What `Steps.within` was given took longer than it may."""


class Steps(Protocol):
    """How the steps of a run are carried out. Each raises what its `work` raises."""

    def complete(self, key: str, work: Callable[[], Awaitable[ModelResponse]]) -> Awaitable[ModelResponse]:
        """One model turn."""

    def call(
        self, call_id: str, work: Callable[[], Awaitable[Returned | Refusal]]
    ) -> Awaitable[Returned | Refusal]:
        """One tool call, decisions and refusals included."""

    def ask(self, key: str, work: Callable[[], Awaitable[Decision | None]]) -> Awaitable[Decision | None]:
        """One question of an `approval` state; `None` when nobody answered in time."""

    def retrieve(
        self, key: str, work: Callable[[], Awaitable[tuple[Passage, ...]]]
    ) -> Awaitable[tuple[Passage, ...]]:
        """One question to a retriever."""

    def race(self, key: str, work: Callable[[], Awaitable[tuple[str, ...]]]) -> Awaitable[tuple[str, ...]]:
        """The names of the branches that won, where it matters which is faster. `work` holds their steps."""

    def pause(self, key: str, seconds: float) -> Awaitable[None]:
        """Wait before the next attempt."""

    def within(self, key: str, seconds: float, work: Callable[[], Awaitable[T]]) -> Awaitable[T]:
        """The outcome of `work`, which may hold further steps. Raises `LateError` once `seconds` are over."""


class DirectSteps:
    """Steps that are carried out and not remembered."""

    def complete(self, key: str, work: Callable[[], Awaitable[ModelResponse]]) -> Awaitable[ModelResponse]:
        return work()

    def call(
        self, call_id: str, work: Callable[[], Awaitable[Returned | Refusal]]
    ) -> Awaitable[Returned | Refusal]:
        return work()

    def ask(self, key: str, work: Callable[[], Awaitable[Decision | None]]) -> Awaitable[Decision | None]:
        return work()

    def retrieve(
        self, key: str, work: Callable[[], Awaitable[tuple[Passage, ...]]]
    ) -> Awaitable[tuple[Passage, ...]]:
        return work()

    def race(self, key: str, work: Callable[[], Awaitable[tuple[str, ...]]]) -> Awaitable[tuple[str, ...]]:
        return work()

    def pause(self, key: str, seconds: float) -> Awaitable[None]:
        return asyncio.sleep(seconds)

    def within(self, key: str, seconds: float, work: Callable[[], Awaitable[T]]) -> Awaitable[T]:
        return bounded(seconds, work)


async def bounded(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `work`. Raises `LateError` once `seconds` are over; other timeouts are its own."""
    try:
        async with asyncio.timeout(seconds) as clock:
            return await work()
    except TimeoutError as error:
        if clock.expired():
            raise LateError from error
        raise
