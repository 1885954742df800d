"""Model turns over a transport: where the model is, its key, new tries, and nothing of its words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Final, TypeAlias

import msgspec

from ..bundle import Provider
from ..environments import Environment
from ..refusals import Refusal, RefusedError
from ..request import base_url
from ..secrets import Secrets
from ..wire import HttpRequest, HttpResponse, Transport, UnsentError
from .health import Health
from .kept import KeptAnswers
from .provider_errors import excerpt, status_error
from .sse import MAX_STREAM, EventDecoder
from .strict import restored
from .types import Adapter, ModelError, ModelRequest, ModelResponse, Reading

#: Tries of one turn, the first included.
ATTEMPTS: Final = 3
#: Seconds before the second try; doubled for the third.
BACKOFF: Final = 0.5
#: Seconds that a provider's `retry-after` may ask for.
MAX_BACKOFF: Final = 30.0
#: Bytes of an error answer that are read.
_ERROR_BODY: Final = 65_536
#: Refusals of the transport that may pass: timed out, broken off.
_PASSING: Final = frozenset({"AR405", "AR406"})

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
#: Told of a try that failed and is followed by another one: the turn, why, and which try it was, from 1.
Retried: TypeAlias = Callable[[ModelRequest, ModelError, int], None]


def _unheard(request: ModelRequest, error: ModelError, attempt: int) -> None:
    """Nobody wants to know."""


class ModelClient:
    """Completes model turns, each attempt after `check` has let it through.

    A transport that has `replays = True` needs no secrets and does not wait.
    """

    def __init__(
        self,
        environment: Environment,
        secrets: Secrets,
        transport: Transport,
        *,
        sleep: Sleep = asyncio.sleep,
        check: Callable[[ModelRequest], None] | None = None,
        health: Health | None = None,
        kept: KeptAnswers | None = None,
    ) -> None:
        self._environment = environment
        self._secrets = secrets
        self._transport = transport
        self._sleep = sleep
        self._check = check
        self._health = health or Health()
        self._kept = kept or KeptAnswers()
        self._replays = getattr(transport, "replays", False) is True

    async def complete(
        self, request: ModelRequest, on_text: Callable[[str], None], on_retry: Retried = _unheard
    ) -> ModelResponse:
        """One turn. `on_text` gets each piece of the answer's text as it arrives.

        Errors that may pass are tried again, but not once text was given to `on_text`: what was shown
        can't be taken back.

        Raises:
            ModelError: the provider can't be reached, refused, or sent what can't be read. Without secrets.
            RefusedError: AR506, AR508 the model's secret is not set or can't be carried, AR301 its URL is
                unusable; or what `check` raises.
        """
        if self._check is not None:
            self._check(request)
        if self._secrets.renewable and request.model.secret is not None and not self._replays:
            await self._secrets.renew(self._transport, (request.model.secret,))
        wire = self._wire(request)
        shown = False

        def show(text: str) -> None:
            nonlocal shown
            shown = True
            on_text(text)

        if not self._replays:
            kept = self._kept.find(request, wire.origin)
            if kept is not None:
                on_text(kept.message.text)
                return kept
            self._health.admit(wire.origin, request.model.model)
        attempt, free = 1, True
        while True:
            outcome = await self._attempt(request.model.provider, wire, show)
            error = None if isinstance(outcome, ModelResponse) else outcome[0]
            if not self._replays:
                self._health.record(wire.origin, request.model.model, error)
            if isinstance(outcome, ModelResponse):
                self._kept.keep(request, wire.origin, outcome)
                return restored(outcome, request.tools) if request.model.strict_tools else outcome
            error, wait = outcome
            error.free = free = free and error.free
            if shown or attempt == ATTEMPTS or not error.retryable:
                raise error
            on_retry(request, error, attempt)
            if not self._replays:
                await self._sleep(max(wait, BACKOFF * 2 ** (attempt - 1)))
            if self._check is not None:
                self._check(request)
            attempt += 1

    def _wire(self, request: ModelRequest) -> HttpRequest:
        model = request.model
        base = base_url(model.endpoint, self._environment)
        secret = None
        if model.secret is not None and not self._replays:
            secret = self._secrets.get(model.secret)
            if not (secret.isascii() and secret.isprintable()):
                message = f"secret `{model.secret}` has characters that a header can't carry"
                raise RefusedError(Refusal(code="AR506", message=message, value=model.secret))
        wire = adapter(model.provider).build(request, f"{base.origin}{base.target}", secret)
        return HttpRequest(
            method=wire.method,
            url=wire.url,
            headers=wire.headers,
            body=wire.body,
            origin=base.origin,
            timeout_ms=model.timeout_ms,
            max_response_bytes=MAX_STREAM,
        )

    async def _attempt(
        self, provider: Provider, wire: HttpRequest, show: Callable[[str], None]
    ) -> ModelResponse | tuple[ModelError, float]:
        """The response, or why there is none and how many seconds the provider wants to be left alone."""
        wait = 0.0
        begun = time.monotonic()
        try:
            async with self._transport.send(wire) as answer:
                if answer.status != 200:
                    wait = _retry_after(answer)
                    raise status_error(answer.status, await _start_of_body(answer))
                kind = answer.headers.get("content-type", "")
                if not kind.lower().startswith("text/event-stream"):
                    start = excerpt((await _start_of_body(answer)).decode(errors="replace"))
                    message = f"provider answered with `{excerpt(kind)}`, not with an event stream: {start}"
                    raise ModelError(message, status=answer.status)
                return await _finished(adapter(provider).parse(), answer.chunks(), show, begun)
        except ModelError as error:
            told = self._secrets.redact(str(error))
            return ModelError(told, status=error.status, retryable=error.retryable), wait
        except RefusedError as error:
            told = self._secrets.redact(str(error))
            passing = error.refusal.code in _PASSING
            return ModelError(told, retryable=passing, sent=not isinstance(error, UnsentError)), wait


@cache
def adapter(provider: Provider) -> Adapter:
    """The wire format of `provider`, imported when it is first needed."""
    match provider:
        case "openai":
            from . import openai

            return openai
        case "anthropic":
            from . import anthropic

            return anthropic
        case "gemini":
            from . import gemini

            return gemini


async def _finished(
    reading: Reading, chunks: AsyncIterator[bytes], show: Callable[[str], None], begun: float
) -> ModelResponse:
    """The response at the end of a stream. `begun` is when its request was sent, by the monotonic clock."""
    decoder = EventDecoder()
    first: float | None = None
    next(reading)  # up to where it waits for events
    try:
        async for chunk in chunks:
            for event in decoder.feed(chunk):
                if first is None:
                    first = time.monotonic() - begun
                for text in reading.send(event):
                    show(text)
        reading.send(None)
    except StopIteration as ended:
        response: ModelResponse = ended.value
    else:
        raise ModelError("provider's stream ended without an answer", retryable=True)
    return msgspec.structs.replace(response, first_chunk=first)


async def _start_of_body(answer: HttpResponse) -> bytes:
    body = b""
    async for chunk in answer.chunks():
        body += chunk
        if len(body) >= _ERROR_BODY:
            break
    return body[:_ERROR_BODY]


def _retry_after(answer: HttpResponse) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), MAX_BACKOFF) if text.isascii() and text.isdecimal() else 0.0
