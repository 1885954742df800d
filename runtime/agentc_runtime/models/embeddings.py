"""Texts as vectors, over the wire formats of providers that have them: OpenAI's and Gemini's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

import msgspec

from ..bundle import Model
from ..environments import Environment
from ..refusals import RefusedError
from ..request import base_url
from ..secrets import Secrets
from ..wire import HttpRequest, Transport
from .gemini import API_VERSION
from .provider_errors import status_error
from .types import ModelError, Usage, WireRequest

Vector: TypeAlias = tuple[float, ...]
#: Providers whose wire format has embeddings.
EMBEDDING: Final = frozenset({"openai", "gemini"})
#: Tries of one request, and seconds before the second; doubled for each.
ATTEMPTS: Final = 3
BACKOFF: Final = 0.5
MAX_ANSWER: Final = 64 * 1024 * 1024


class Embedded(NamedTuple):
    """A vector for each text, and the tokens that were read as far as the provider says."""

    vectors: tuple[Vector, ...]
    usage: Usage


class _OpenAIRow(msgspec.Struct, frozen=True):
    index: int
    embedding: Vector


class _OpenAIUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0


class _OpenAI(msgspec.Struct, frozen=True):
    data: tuple[_OpenAIRow, ...]
    usage: _OpenAIUsage = _OpenAIUsage()


class _GeminiRow(msgspec.Struct, frozen=True):
    values: Vector


class _Gemini(msgspec.Struct, frozen=True):
    embeddings: tuple[_GeminiRow, ...]


def build(model: Model, texts: Sequence[str], base: str, secret: str | None) -> WireRequest:
    """The request for vectors of `texts`.

    Raises:
        ModelError: the model's wire format has none.
    """
    headers = {"content-type": "application/json", "accept": "application/json"}
    root = base.rstrip("/")
    body: dict[str, object]
    if model.provider == "openai":
        if secret is not None:
            headers["authorization"] = f"Bearer {secret}"
        url = f"{root}/embeddings"
        body = {"model": model.model, "input": list(texts), "encoding_format": "float"}
    elif model.provider == "gemini":
        if secret is not None:
            headers["x-goog-api-key"] = secret
        url = f"{root}/{API_VERSION}/models/{quote(model.model, safe='')}:batchEmbedContents"
        parts = [{"content": {"parts": [{"text": text}], "role": "user"}} for text in texts]
        body = {"requests": [{"model": f"models/{model.model}", **part} for part in parts]}
    else:
        raise ModelError(f"the wire format `{model.provider}` has no embeddings")
    return WireRequest(method="POST", url=url, headers=headers, body=msgspec.json.encode(body))


def parse(model: Model, data: bytes, count: int) -> Embedded:
    """The vectors that an answer holds, in the order of the texts.

    Raises:
        ModelError: it holds something else, other numbers of them, or numbers that are none.
    """
    try:
        if model.provider == "openai":
            told = msgspec.json.decode(data, type=_OpenAI)
            rows = {row.index: row.embedding for row in told.data}
            vectors = tuple(rows[index] for index in range(count))
            usage = Usage(input=told.usage.prompt_tokens)
        else:
            vectors = tuple(row.values for row in msgspec.json.decode(data, type=_Gemini).embeddings)
            usage = Usage()
    except (msgspec.DecodeError, UnicodeError, KeyError) as error:
        raise ModelError(f"provider's answer holds no embeddings: {error}") from error
    sizes = {len(vector) for vector in vectors}
    if len(vectors) != count or len(sizes) > 1 or 0 in sizes:
        raise ModelError(f"provider sent {len(vectors)} embeddings of {len(sizes)} sizes for {count} texts")
    if not all(math.isfinite(number) for vector in vectors for number in vector):
        raise ModelError("provider's embeddings hold what is no number")
    return Embedded(vectors, usage)


def cosine(one: Vector, other: Vector) -> float:
    """How alike two vectors are: 1 the same direction, 0 nothing in common, -1 the opposite."""
    size = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / size if size else 0.0


class Embedder:
    """Asks for vectors. A transport that has `replays = True` needs no secrets and does not wait."""

    def __init__(
        self,
        environment: Environment,
        secrets: Secrets,
        transport: Transport,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._environment = environment
        self._secrets = secrets
        self._transport = transport
        self._sleep = sleep
        self._replays = getattr(transport, "replays", False) is True

    async def embed(self, model: Model, texts: Sequence[str]) -> Embedded:
        """A vector for each text; what may pass is tried again.

        Raises:
            ModelError: the provider can't be reached, refused, or sent what can't be read. Without secrets.
            RefusedError: AR506, AR508 the secret is not set, AR301 its URL is unusable.
        """
        secret = None
        if model.secret is not None and not self._replays:
            await self._secrets.renew(self._transport, (model.secret,))
            secret = self._secrets.get(model.secret)
        base = base_url(model.endpoint, self._environment)
        wire = build(model, texts, f"{base.origin}{base.target}", secret)
        request = HttpRequest(
            method=wire.method,
            url=wire.url,
            headers=wire.headers,
            body=wire.body,
            origin=base.origin,
            timeout_ms=model.timeout_ms,
            max_response_bytes=MAX_ANSWER,
        )
        attempt = 1
        while True:
            try:
                return parse(model, await self._answer(request), len(texts))
            except ModelError as error:
                if attempt == ATTEMPTS or not error.retryable:
                    raise ModelError(self._secrets.redact(str(error)), status=error.status) from error
            if not self._replays:
                await self._sleep(BACKOFF * 2 ** (attempt - 1))
            attempt += 1

    async def _answer(self, request: HttpRequest) -> bytes:
        try:
            async with self._transport.send(request) as answer:
                body = b"".join([chunk async for chunk in answer.chunks()])
                if answer.status != 200:
                    raise status_error(answer.status, body)
                return body
        except RefusedError as error:
            passing = error.refusal.code in ("AR405", "AR406")
            raise ModelError(self._secrets.redact(str(error)), retryable=passing) from error
