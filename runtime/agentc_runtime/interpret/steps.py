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

    async def complete(self, key: str, work: Callable[[], Awaitable[ModelResponse]]) -> ModelResponse:
        """One model turn."""

    async def call(
        self, call_id: str, work: Callable[[], Awaitable[Returned | Refusal]]
    ) -> Returned | Refusal:
        """One tool call, decisions and refusals included."""

    async def ask(self, key: str, work: Callable[[], Awaitable[Decision | None]]) -> Decision | None:
        """One question of an `approval` state; `None` when nobody answered in time."""

    async def retrieve(
        self, key: str, work: Callable[[], Awaitable[tuple[Passage, ...]]]
    ) -> tuple[Passage, ...]:
        """One question to a retriever."""

    async def race(self, key: str, work: Callable[[], Awaitable[tuple[str, ...]]]) -> tuple[str, ...]:
        """The names of the branches that won, where it matters which is faster. `work` holds their steps."""

    async def pause(self, key: str, seconds: float) -> None:
        """Wait before the next attempt."""

    async def within(self, key: str, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `work`, which may hold further steps. Raises `LateError` once `seconds` are over."""


class DirectSteps:
    """Steps that are carried out and not remembered."""

    async def complete(self, key: str, work: Callable[[], Awaitable[ModelResponse]]) -> ModelResponse:
        return await work()

    async def call(
        self, call_id: str, work: Callable[[], Awaitable[Returned | Refusal]]
    ) -> Returned | Refusal:
        return await work()

    async def ask(self, key: str, work: Callable[[], Awaitable[Decision | None]]) -> Decision | None:
        return await work()

    async def retrieve(
        self, key: str, work: Callable[[], Awaitable[tuple[Passage, ...]]]
    ) -> tuple[Passage, ...]:
        return await work()

    async def race(self, key: str, work: Callable[[], Awaitable[tuple[str, ...]]]) -> tuple[str, ...]:
        return await work()

    async def pause(self, key: str, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def within(self, key: str, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        return await bounded(seconds, work)


async def bounded(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `work`. Raises `LateError` once `seconds` are over; other timeouts are its own."""
    try:
        async with asyncio.timeout(seconds) as clock:
            return await work()
    except TimeoutError as error:
        if clock.expired():
            raise LateError from error
        raise
