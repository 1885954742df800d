"""The wire format of Anthropic's messages API."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .history import arguments_object, spoken
from .output_schema import supported
from .provider_errors import ProviderError, stream_error
from .sse import read
from .types import (
    AssistantMessage,
    ModelError,
    ModelRequest,
    ModelResponse,
    Reading,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
    WireRequest,
)

API_VERSION: Final = "2026-10-21"
#: The last version whose requests may set a temperature. Newer models refuse one in any version.
API_VERSION_WITH_TEMPERATURE: Final = "2023-06-01"

_FINISH: Final[dict[str, Literal["stop", "length", "content_filter"]]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
#: Marks the end of what the provider keeps for the next turns, for five minutes since its last use.
_KEEP: Final = {"type": "ephemeral"}
#: Blocks that only the provider reads, and wants back as they were.
_OPAQUE: Final = frozenset({"thinking", "redacted_thinking"})


def build(request: ModelRequest, base_url: str, secret: str | None) -> WireRequest:
    """The streaming request for one turn, `base_url` being the API's root, without its version."""
    model = request.model
    body: dict[str, object] = {
        "model": model.model,
        "max_tokens": model.max_output_tokens,
        "messages": _kept(_messages(request)) if model.prompt_cache else _messages(request),
        "stream": True,
    }
    if request.instructions:
        body["system"] = request.instructions
        if model.prompt_cache:
            # what is before a mark is kept: tools and instructions, which are the same in each run
            marked = {"type": "text", "text": request.instructions, "cache_control": _KEEP}
            body["system"] = [marked]
    version = API_VERSION
    if model.temperature is not None:
        body["temperature"] = float(model.temperature)
        version = API_VERSION_WITH_TEMPERATURE
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        body["tool_choice"] = {"type": "auto"}
    if request.output is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": supported(request.output)}}
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "anthropic-version": version,
    }
    if secret is not None:
        headers["authorization"] = f"Bearer {secret}"
    return WireRequest(
        method="POST",
        url=f"{base_url.rstrip('/')}/v1/messages",
        headers=headers,
        body=msgspec.json.encode(body),
    )


def parse() -> Reading:
    """Texts and, last, the response. Thinking is kept in `provider_data`, in its place among the blocks.

    Raises:
        ModelError: as `Adapter.parse`.
    """
    blocks: dict[int, _Growing] = {}
    message: _Message | None = None
    counts: dict[str, int] = {}
    stop: str | None = None
    ended = False
    said: tuple[str, ...] = ()
    while (sent := (yield said)) is not None:
        event, said = read(_EVENT, sent[1]), ()
        if event.type == "error":
            raise stream_error(event.error or ProviderError())
        if event.type == "message_start":
            message = event.message or _Message()
            counts.update(_counts(message.usage))
        elif event.type == "content_block_start":
            if event.content_block is None or event.index in blocks:
                raise ModelError("provider started a content block twice or without content")
            blocks[event.index] = _Growing(block=event.content_block)
            if event.content_block.type == "text" and event.content_block.text:
                said = (event.content_block.text,)
        elif event.type == "content_block_delta":
            delta = event.delta or _Delta()
            if event.index not in blocks:
                raise ModelError("provider sent a piece of a content block that it had not started")
            blocks[event.index].grow(delta)
            if delta.type == "text_delta" and delta.text and blocks[event.index].block.type == "text":
                said = (delta.text,)
        elif event.type == "message_delta":
            stop = (event.delta or _Delta()).stop_reason or stop
            counts.update(_counts(event.usage))
        elif event.type == "message_stop":
            ended = True
            break
    if message is None or stop is None or not ended:
        raise ModelError("provider's stream ended before the answer did", retryable=True)
    if stop not in _FINISH:
        raise ModelError(f"provider ended the turn for a reason that is not known: `{stop[:40]}`")
    return _response(message, [blocks[index] for index in sorted(blocks)], _FINISH[stop], counts)


def _response(
    message: _Message,
    blocks: list[_Growing],
    reason: Literal["stop", "length", "content_filter"],
    counts: dict[str, int],
) -> ModelResponse:
    # A turn that was cut off proposes nothing: its last call may lack what would have limited it.
    calls = tuple(each.call() for each in blocks if each.block.type == "tool_use") if reason == "stop" else ()
    kept: dict[str, object] | None = None
    if reason == "stop" and any(each.block.type in _OPAQUE for each in blocks):
        kept = {"anthropic": [back for each in blocks if (back := each.sent_back()) is not None]}
    read_from_cache = counts.get("cache_read_input_tokens", 0)
    written_to_cache = counts.get("cache_creation_input_tokens", 0)
    return ModelResponse(
        message=AssistantMessage(
            text="".join(each.joined() for each in blocks if each.block.type == "text"),
            calls=calls,
            provider_data=kept,
        ),
        finish_reason="tool_calls" if calls else reason,
        usage=Usage(
            input=counts.get("input_tokens", 0) + read_from_cache + written_to_cache,
            output=counts.get("output_tokens", 0),
            cached_input=read_from_cache,
            cache_write=written_to_cache,
            reasoning=counts.get("thinking_tokens", 0),
        ),
        response_id=message.id or "",
        response_model=message.model or "",
    )


def _messages(request: ModelRequest) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    for message in spoken(request.messages):
        if isinstance(message, ToolMessage):
            # The results of one turn have to come in one message.
            if not results:
                out.append({"role": "user", "content": results})
            results.append(_result(message))
            continue
        results = []
        if isinstance(message, UserMessage):
            out.append({"role": "user", "content": message.text})
        else:
            out.append({"role": "assistant", "content": _content(message)})
    return out


def _kept(messages: list[dict[str, object]]) -> list[dict[str, object]]:
    """The messages with a mark on the last one, so that the next turn reads all before it from the cache."""
    if not messages or messages[-1]["role"] != "user":
        return messages
    content = messages[-1]["content"]
    blocks = list(content) if isinstance(content, list) else [{"type": "text", "text": content}]
    blocks[-1] = {**blocks[-1], "cache_control": _KEEP}
    return [*messages[:-1], {**messages[-1], "content": blocks}]


def _result(message: ToolMessage) -> dict[str, object]:
    result: dict[str, object] = {
        "type": "tool_result",
        "tool_use_id": message.call_id,
        "content": message.content,
    }
    if message.refused:
        result["is_error"] = True
    return result


def _content(message: AssistantMessage) -> object:
    kept = (message.provider_data or {}).get("anthropic")
    if kept is not None:
        return kept
    blocks: list[dict[str, object]] = []
    if message.text:
        blocks.append({"type": "text", "text": message.text})
    blocks.extend(
        {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call)}
        for call in message.calls
    )
    return blocks


# --- what the stream holds; fields that are not listed are of no use here ------------------------------

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _OutputDetails(msgspec.Struct):
    thinking_tokens: _Count | None = None


class _Usage(msgspec.Struct):
    input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    cache_read_input_tokens: _Count | None = None
    output_tokens_details: _OutputDetails | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Block(msgspec.Struct):
    type: str
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class _Delta(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: ProviderError | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)


class _Growing(msgspec.Struct):
    """A content block whose pieces are still arriving."""

    block: _Block
    pieces: list[str] = []

    def grow(self, delta: _Delta) -> None:
        piece = {
            ("text", "text_delta"): delta.text,
            ("tool_use", "input_json_delta"): delta.partial_json,
            ("thinking", "thinking_delta"): delta.thinking,
        }.get((self.block.type, delta.type or ""))
        if piece:
            self.pieces.append(piece)
        if delta.type == "signature_delta":
            self.block.signature = delta.signature

    def joined(self) -> str:
        """The text, the thinking, or the arguments as far as they came in pieces."""
        return (self.block.text or self.block.thinking or "") + "".join(self.pieces)

    def call(self) -> ToolCall:
        if not self.block.id or not self.block.name:
            raise ModelError("provider sent a tool call without an id or a name")
        arguments = "".join(self.pieces) or bytes(self.block.input).decode()
        return ToolCall(id=self.block.id, name=self.block.name, arguments=arguments)

    def sent_back(self) -> dict[str, object] | None:
        """The block as the provider wants it back; nothing for empty text and for what was not asked for."""
        if self.block.type == "tool_use":
            call = self.call()
            return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call)}
        if self.block.type == "thinking":
            signature = self.block.signature or ""
            return {"type": "thinking", "thinking": self.joined(), "signature": signature}
        if self.block.type == "redacted_thinking":
            return {"type": "redacted_thinking", "data": self.block.data or ""}
        if self.block.type == "text" and (text := self.joined()):
            return {"type": "text", "text": text}
        return None


def _counts(usage: _Usage | None) -> dict[str, int]:
    """The counts that are given. They are totals so far: later ones replace earlier ones."""
    if usage is None:
        return {}
    details = usage.output_tokens_details or _OutputDetails()
    found = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "thinking_tokens": details.thinking_tokens,
    }
    return {name: count for name, count in found.items() if count is not None}
