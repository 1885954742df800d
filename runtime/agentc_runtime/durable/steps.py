"""The steps of a durable run: what came through them once comes through them again, in the same words.

A model turn, a retrieval, a pause and the end of a race are kept under their key. A tool call is two records,
intent and outcome. All are in the store and not among the engine's own steps: what follows from a step is
then kept in one transaction with it, and with its record in the audit log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias, TypeVar

import msgspec

from ..calls import Decision, Parked, Returned
from ..interpret.steps import LateError, bounded
from ..models.types import ModelError, ModelResponse
from ..refusals import Refusal, RefusedError
from ..retrieval import Passage, RetrieverError

T = TypeVar("T")

#: Seconds without a step under way after which a run that has to stop is stopped.
QUIET: Final = 0.02

#: Whether what runs is known to have come too late: then nothing new is begun in it.
_late: ContextVar[bool] = ContextVar("late", default=False)


class _Completed(msgspec.Struct, frozen=True, kw_only=True, tag="completed"):
    response: ModelResponse


class _Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    message: str
    status: int | None
    retryable: bool


class _Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    refusal: Refusal


class _Retrieved(msgspec.Struct, frozen=True, kw_only=True, tag="retrieved"):
    passages: tuple[Passage, ...]


class _Unanswered(msgspec.Struct, frozen=True, kw_only=True, tag="unanswered"):
    message: str


Turn: TypeAlias = _Completed | _Failed | _Refused
Passages: TypeAlias = _Retrieved | _Unanswered


class DurableSteps:
    """Steps of the workflow that runs at the moment.

    `recorded` is what was kept of its steps by key, `outcomes` what came of its calls, `seconds` how long it
    was worked on before. `redact` takes secrets out of what is given to `keep`.
    """

    def __init__(
        self,
        recorded: Mapping[str, str],
        outcomes: Mapping[str, Returned | Refusal],
        seconds: float,
        redact: Callable[[str], str],
        keep: Callable[[str, str], None],
    ) -> None:
        self._recorded = recorded
        self._outcomes = outcomes
        self._seconds = seconds
        self._redact = redact
        self._keep = keep
        self._busy = 0
        self._stopping: list[tuple[asyncio.Future[None], Parked]] = []
        #: Calls that are under way: what they do must not be cut off.
        self.calling = 0
        #: Whether all that was asked so far has been recorded before.
        self.replays = bool(recorded or outcomes)

    async def complete(self, key: str, work: Callable[[], Awaitable[ModelResponse]]) -> ModelResponse:
        """The recorded turn, or one that is recorded now."""

        async def ask() -> str:
            turn: Turn
            try:
                turn = _Completed(response=await work())
            except ModelError as error:
                turn = _Failed(message=str(error), status=error.status, retryable=error.retryable)
            except RefusedError as error:
                turn = _Refused(refusal=error.refusal)
            return self._text(turn)

        turn: Turn = msgspec.convert(json.loads(await self._step(key, ask)), Turn)
        match turn:
            case _Completed(response=response):
                return response
            case _Failed(message=message, status=status, retryable=retryable):
                raise ModelError(message, status=status, retryable=retryable)
            case _Refused(refusal=refusal):
                raise RefusedError(refusal)

    async def call(
        self, call_id: str, work: Callable[[], Awaitable[Returned | Refusal]]
    ) -> Returned | Refusal:
        """The recorded outcome, or that of the call made now."""
        known = self._outcomes.get(call_id)
        if known is not None:
            return known
        self.calling += 1
        try:
            return await self._passing(work)
        finally:
            self.calling -= 1

    async def ask(self, key: str, work: Callable[[], Awaitable[Decision | None]]) -> Decision | None:
        """The decision, which is kept where it was made."""
        return await self._passing(work)

    async def retrieve(
        self, key: str, work: Callable[[], Awaitable[tuple[Passage, ...]]]
    ) -> tuple[Passage, ...]:
        """The recorded passages, or those that are recorded now."""

        async def ask() -> str:
            found: Passages
            try:
                found = _Retrieved(passages=await work())
            except RetrieverError as error:
                found = _Unanswered(message=str(error))
            return self._text(found)

        found: Passages = msgspec.convert(json.loads(await self._step(key, ask)), Passages)
        match found:
            case _Retrieved(passages=passages):
                return passages
            case _Unanswered(message=message):
                raise RetrieverError(message)

    async def race(self, key: str, work: Callable[[], Awaitable[tuple[str, ...]]]) -> tuple[str, ...]:
        """The recorded winners, or those that are recorded now. Their own steps are recorded as ever."""
        known = self._recorded.get(key)
        if known is None:
            winners = await work()

            async def keep() -> str:
                return json.dumps(winners)

            known = await self._step(key, keep)
        return tuple(json.loads(known))

    async def pause(self, key: str, seconds: float) -> None:
        """Wait, unless it has been waited before."""

        async def wait() -> str:
            await asyncio.sleep(seconds)
            return ""

        await self._step(key, wait)

    async def within(self, key: str, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `work`. Time counts while the run is worked on, and not while it waits.

        That time was up is recorded. Then the same happens again each time: what was done in time is gone
        through once more, and nothing new is begun.
        """
        lateness = f"{key}/late"
        if lateness in self._recorded:
            token = _late.set(True)
            try:
                await work()
            finally:
                _late.reset(token)
            raise LateError
        used = self._seconds if key == "run" else 0.0
        try:
            return await bounded(max(0.0, seconds - used), work)
        except LateError:

            async def keep() -> str:
                return ""

            await self._step(lateness, keep)
            raise

    def _text(self, value: msgspec.Struct) -> str:
        return self._redact(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))

    async def _step(self, key: str, work: Callable[[], Awaitable[str]]) -> str:
        """What was kept under `key`, or what is kept now."""
        known = self._recorded.get(key)
        if known is not None:
            return known
        answer = await self._passing(work)
        self._keep(key, answer)
        return answer

    async def _passing(self, work: Callable[[], Awaitable[T]]) -> T:
        """Carry out something new. When it finds that the run has to stop, what is under way ends first."""
        if _late.get():
            raise LateError
        self.replays = False
        self._busy += 1
        try:
            return await work()
        except Parked as parked:
            if parked.status == "stopped":
                raise
            reason = parked
        finally:
            self._busy -= 1
            self._look()
        await self._stop(reason)
        raise reason

    async def _stop(self, parked: Parked) -> None:
        """Wait until nothing is under way in other branches: an effect there must not be cut off."""
        quiet: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping.append((quiet, parked))
        self._look()
        await quiet

    def _look(self) -> None:
        if self._stopping and not self._busy:
            asyncio.get_running_loop().call_later(QUIET, self._end)

    def _end(self) -> None:
        if not self._busy:
            # what needs a person to look at it comes before what waits for one
            first = next(
                (one for one in self._stopping if one[1].status == "needs_attention"), self._stopping[0]
            )
            if not first[0].done():
                first[0].set_result(None)
