"""What the interpreter and the provider adapters say to each other: no provider's words in it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, Protocol, TypeAlias

import msgspec

from ..bundle import Model
from ..expressions import Schema


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class ToolDefinition(_Value, frozen=True, kw_only=True):
    """A tool as the model sees it."""

    name: str
    description: str
    parameters: Schema


class ToolCall(_Value, frozen=True, kw_only=True):
    """A call that the model proposes. `arguments` is the raw JSON text: only the broker parses it."""

    id: str
    name: str
    arguments: str


class UserMessage(_Value, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """Text from our side."""

    text: str


class AssistantMessage(_Value, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """What the model said and asked for. `provider_data` is opaque provider data that must be sent back."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    provider_data: dict[str, object] | None = None


class ToolMessage(_Value, frozen=True, kw_only=True, tag_field="role", tag="tool"):
    """The answer to one tool call. `refused` marks answers that are refusals or failures."""

    call_id: str
    name: str
    content: str
    refused: bool = False


Message: TypeAlias = UserMessage | AssistantMessage | ToolMessage


class ModelRequest(_Value, frozen=True, kw_only=True):
    """One model turn. With `output`, the text must be JSON that satisfies the schema."""

    model: Model
    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    output: Schema | None = None


class Usage(_Value, frozen=True, kw_only=True):
    """Tokens. `cached_input` and `cache_write`, read from and written to the provider's cache, are parts of
    `input`, and `reasoning` of `output`: none is an addition to it."""

    input: int = 0
    output: int = 0
    cached_input: int = 0
    reasoning: int = 0
    cache_write: int = 0


class ModelResponse(_Value, frozen=True, kw_only=True):
    """A finished turn. `first_chunk` is the seconds until the provider sent its first event, if known.

    `cached` says that the answer was kept from another turn: nobody was asked.
    """

    message: AssistantMessage
    finish_reason: Literal["stop", "tool_calls", "length", "content_filter"]
    usage: Usage
    response_id: str = ""
    response_model: str = ""
    first_chunk: float | None = None
    cached: bool = False


class WireRequest(_Value, frozen=True, kw_only=True):
    """The HTTP request of one turn: `body` is JSON."""

    method: Literal["POST"]
    url: str
    headers: dict[str, str]
    body: bytes


class ModelError(Exception):
    """The provider refused, failed, or sent what can't be read. `retryable` errors may pass on a new try.

    `free` says that nothing of the turn is charged: it was not `sent`, or was answered with a status that
    refuses it.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retryable: bool = False, sent: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.free = not sent or status is not None


#: Reads one answer. It is sent the server-sent events as (event, data) pairs, and None when there are no
#: more; it yields the texts that each brings, and returns the response at the last.
Reading: TypeAlias = Generator[tuple[str, ...], tuple[str, str] | None, ModelResponse]


class Adapter(Protocol):
    """One provider's wire format, as two pure functions: no connection, no secret source."""

    def build(self, request: ModelRequest, base_url: str, secret: str | None) -> WireRequest:
        """The streaming HTTP request for one turn."""

    def parse(self) -> Reading:
        """Begin to read an answer. See `Reading`.

        Raises:
            ModelError: an error event, a stream that ends early, or data that is not the provider's format.
        """
