"""One allowed call carried out: attempts, waits, and what is known of the outcome in the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import msgspec

from .answer import Answer
from .behaviour import Cache
from .bundle import Program, Tool
from .keeping import Keeper, conditioned
from .once import Once
from .pacing import LATER, Pace, retries, retry_after_seconds, wait_seconds
from .refusals import Refusal, RefusedError
from .response import responses_of
from .tokens import Tokens
from .wire import HttpRequest, HttpResponse, Transport, UnsentError
from .workflow import ErrorClass

#: Told of an attempt that failed and is followed by another one: why, and which attempt it was, from 1.
Retried = Callable[[Refusal, int], None]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, so that tests can own them. `monotonic` is in seconds, `jitter` in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt that did not succeed. `status` is absent when no answer came.

    `again`: another attempt may succeed. `broken`: it counts for the circuit breaker. `unclear`: the service
    may have acted on it.
    """

    refusal: Refusal
    status: int | None
    error: ErrorClass
    again: bool
    retry_after: float | None
    broken: bool
    unclear: bool


class Sender:
    """Sends the requests of allowed calls.

    Raises:
        ValueError: a response schema can't be compiled.
    """

    def __init__(
        self,
        program: Program,
        transport: Transport,
        tokens: Tokens,
        clocks: Clocks,
        stopped: Callable[[Tool], Refusal | None],
    ) -> None:
        """`stopped` says why a tool may not be called now: asked before each attempt and each page."""
        self._stopped = stopped
        self._transport = transport
        self._tokens = tokens
        self._clocks = clocks
        self._responses = responses_of(program)
        self._paces: dict[str, Pace] = {}
        self._keepers = {name: Keeper(cache) for name, cache in _kept_by(program)}

    def admit(self, tool: Tool) -> Refusal | None:
        """Take leave for one call of `tool`; AR408, or what has stopped it."""
        if (held := self._stopped(tool)) is not None:
            return held
        why = self._pace(tool).take(self._clocks.monotonic())
        if why is None:
            return None
        return Refusal(code="AR408", message=f"`{tool.name}` is held back: {why}", value=tool.rate_per_minute)

    def _pace(self, tool: Tool) -> Pace:
        pace = self._paces.get(tool.name)
        if pace is None:
            pace = self._paces[tool.name] = Pace(tool, self._clocks.monotonic())
        return pace

    async def carry_out(
        self, tool: Tool, request: HttpRequest, keyed: bool, on_retry: Retried
    ) -> Answer | Refusal:
        """The accepted answer, or why there is none.

        A call is repeated only when that can't do it twice: it reads, or it carries an idempotency key
        (`keyed`), which is the same on each attempt. Whatever has an effect makes all that was kept of reads
        be read again.
        """
        keeper = self._keepers.get(tool.name)
        if keeper is None:
            try:
                return await self._send(tool, request, keyed, on_retry)
            finally:
                if tool.effect != "read":
                    for other in self._keepers.values():
                        other.forget()
        now = self._clocks.monotonic()
        found = keeper.find(request)
        if found is not None and now < found.until and found.answer.size <= request.max_response_bytes:
            return replace(found.answer, cached=True)
        question = conditioned(request, found)
        outcome = await self._send(tool, question or request, keyed, on_retry, question is not None)
        if isinstance(outcome, Refusal):
            keeper.drop(request)
            return outcome
        return keeper.take(request, outcome, found, now)

    async def _send(
        self, tool: Tool, request: HttpRequest, keyed: bool, on_retry: Retried, asks: bool = False
    ) -> Answer | Refusal:
        repeatable = tool.effect == "read" or keyed
        attempt, unclear = 1, False
        while True:
            outcome = await self._attempt(tool, request, repeatable, asks)
            if not isinstance(outcome, _Failure):
                return outcome
            unclear = outcome.unclear or (unclear and outcome.again)
            again = outcome.again and repeatable and retries(tool.retry, attempt, outcome.error)
            if not again or self.admit(tool) is not None:
                return _final(tool, outcome, unclear)
            on_retry(outcome.refusal, attempt)
            await self._clocks.sleep(
                wait_seconds(tool.retry, attempt, self._clocks.jitter(), outcome.retry_after)
            )
            if self._stopped(tool) is not None:  # meanwhile
                return _final(tool, outcome, unclear)
            attempt += 1

    async def _attempt(
        self, tool: Tool, request: HttpRequest, repeatable: bool, asks: bool
    ) -> Answer | _Failure:
        """One attempt. A fetched token that is not accepted is given up, and the request sent once more with
        another one if it is `repeatable`."""
        pace = self._pace(tool)
        status: int | None = None
        headers: dict[str, str] = {}
        again = repeatable
        try:
            while True:
                status, headers = None, {}
                sent, token = await self._tokens.authorize(tool.request.auth, request)
                async with self._transport.send(sent) as answer:
                    status, headers = answer.status, dict(answer.headers)
                    stale = status == 401 and token != ""
                    if stale and (again or not repeatable):
                        self._tokens.forget(token)
                    body = await _read(answer)
                if not stale or not again or self.admit(tool) is not None:
                    value = None
                    if status != 304 or not asks:
                        value = self._responses.accept(tool, status, headers, body)
                    pace.succeeded()
                    return Answer(status, value, headers, len(body))
                again = False
        except RefusedError as error:
            retry_after = retry_after_seconds(headers, self._clocks.now())
            failure = _classified(error, status, retry_after)
            if failure.broken:
                pace.failed(self._clocks.monotonic())
            elif status is not None:
                pace.succeeded()
            return failure


def _keeping(program: Program) -> list[tuple[str, Cache]]:
    return [
        (name, tool.cache)
        for name, tool in program.tools.items()
        if tool.cache is not None and tool.effect == "read"
    ]


_kept_by: Final = Once(_keeping)


async def _read(answer: HttpResponse) -> bytes:
    """The whole body; of an event stream, which may have no end, the whole events that came in time and size.

    Raises:
        RefusedError: as `HttpResponse.chunks`.
    """
    pieces: list[bytes] = []
    try:
        async for piece in answer.chunks():
            pieces.append(piece)
    except RefusedError as error:
        events = b"".join(pieces)
        end = max(events.rfind(b"\n\n"), events.rfind(b"\r\n\r\n") + 2)
        is_stream = answer.headers.get("content-type", "").lower().startswith("text/event-stream")
        if not is_stream or end < 2 or error.refusal.code not in ("AR401", "AR405"):
            raise
        return events[: end + 2]
    return b"".join(pieces)


def _classified(error: RefusedError, status: int | None, retry_after: float | None) -> _Failure:
    refusal = error.refusal
    lost = refusal.code in ("AR405", "AR406")
    answered = status is not None and refusal.code == "AR404"
    return _Failure(
        refusal=refusal,
        status=status,
        error="timeout" if refusal.code == "AR405" else "tool_error" if lost or answered else "refused",
        again=lost or (answered and status in LATER),
        retry_after=retry_after,
        broken=lost or (answered and status is not None and status >= 500),
        # any other status settles it, even when the body then broke off; gateways do not know themselves
        unclear=(lost and status is None and not isinstance(error, UnsentError)) or status in (502, 504),
    )


def _final(tool: Tool, failure: _Failure, unclear: bool) -> Refusal:
    refusal = failure.refusal
    if tool.effect == "read":
        return refusal
    if unclear:
        message = f"it is not known whether `{tool.name}` took effect: {refusal.message}"
        return Refusal(code="AR407", message=message, value=refusal.code)
    if failure.status is not None and 200 <= failure.status < 300:
        message = f"{refusal.message}; the service had accepted the call (status {failure.status})"
        return msgspec.structs.replace(refusal, message=message)
    return refusal
