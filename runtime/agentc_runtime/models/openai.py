"""The wire format of OpenAI's chat completions, which many servers speak."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from ..expressions import Schema
from ..once import Once
from .history import spoken
from .provider_errors import ProviderError, stream_error
from .sse import read
from .strict import strict
from .types import (
    AssistantMessage,
    Message,
    ModelError,
    ModelRequest,
    ModelResponse,
    Reading,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    Usage,
    WireRequest,
)

_FINISH: Final[dict[str, Literal["stop", "length", "content_filter"]]] = {
    "stop": "stop",
    "tool_calls": "stop",
    "length": "length",
    "content_filter": "content_filter",
}
#: Keywords that the API's strict mode accepts.
_STRICT: Final = frozenset(
    {"type", "enum", "const", "anyOf", "$ref", "$defs", "title", "description"}
    | {"properties", "required", "additionalProperties", "items", "minItems", "maxItems", "pattern", "format"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)


def build(request: ModelRequest, base_url: str, secret: str | None) -> WireRequest:
    """The streaming request for one turn, `base_url` ending in the API's version (`…/v1`)."""
    model = request.model
    body: dict[str, object] = {
        "model": model.model,
        "messages": [
            {"role": "system", "content": request.instructions},
            *[_message(message) for message in spoken(request.messages)],
        ],
        "max_completion_tokens": model.max_output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if model.temperature is not None:
        body["temperature"] = float(model.temperature)
    if request.tools:
        body["tools"] = _written(request.tools, model.strict_tools)
        body["tool_choice"] = "auto"
        body["parallel_tool_calls"] = True
    if request.output is not None:
        form = {"name": "output", "schema": request.output, "strict": _is_strict_once(request.output)}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if secret is not None:
        headers["authorization"] = f"Bearer {secret}"
    return WireRequest(
        method="POST",
        url=f"{base_url.rstrip('/')}/chat/completions",
        headers=headers,
        body=msgspec.json.encode(body),
    )


def parse() -> Reading:
    """Texts and, last, the response. A refusal is text with the finish reason `content_filter`.

    Raises:
        ModelError: as `Adapter.parse`.
    """
    text: list[str] = []
    calls: dict[int, _Call] = {}
    finish: str | None = None
    refused = done = False
    usage, identity, model = Usage(), "", ""
    said: tuple[str, ...] = ()
    while (event := (yield said)) is not None:
        data, said = event[1], ()
        if data == "[DONE]":
            done = True
            break
        chunk = read(_CHUNK, data)
        if chunk.error is not None:
            raise stream_error(chunk.error)
        identity, model = chunk.id or identity, chunk.model or model
        if chunk.usage is not None:
            usage = _usage(chunk.usage)
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            finish = choice.finish_reason or finish
            delta = choice.delta
            if delta is None:
                continue
            if delta.content:
                said += (delta.content,)
            if delta.refusal:
                said += (delta.refusal,)
                refused = True
            for part in delta.tool_calls or ():
                _collect(calls, part)
        text += said
    if finish is None or not done:
        raise ModelError("provider's stream ended before the answer did", retryable=True)
    if finish not in _FINISH:
        raise ModelError(f"provider ended the turn for a reason that is not known: `{finish[:40]}`")
    reason = "content_filter" if refused else _FINISH[finish]
    # A turn that was cut off proposes nothing: its last call may lack what would have limited it.
    proposed = tuple(call.finished() for call in calls.values()) if reason == "stop" else ()
    return ModelResponse(
        message=AssistantMessage(text="".join(text), calls=proposed),
        finish_reason="tool_calls" if proposed else reason,
        usage=usage,
        response_id=identity,
        response_model=model,
    )


def _function(tool: ToolDefinition, *, strictly: bool) -> dict[str, object]:
    parameters = strict(tool.parameters) if strictly else None
    found: dict[str, object] = {"name": tool.name, "description": tool.description}
    found["parameters"] = tool.parameters if parameters is None else parameters
    return found if parameters is None else {**found, "strict": True}


def _tools(tools: tuple[ToolDefinition, ...], strictly: bool) -> msgspec.Raw:
    """The tools as they are sent: the same bytes in each turn."""
    found = [{"type": "function", "function": _function(tool, strictly=strictly)} for tool in tools]
    return msgspec.Raw(msgspec.json.encode(found))


_written: Final = Once(_tools)


def _message(message: Message) -> dict[str, object]:
    if isinstance(message, ToolMessage):
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    if isinstance(message, AssistantMessage):
        said: dict[str, object] = {"role": "assistant"}
        if message.text:
            said["content"] = message.text
        if message.calls:
            said["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in message.calls
            ]
        return said
    return {"role": "user", "content": message.text}


def _is_strict(schema: object, root: bool = True) -> bool:
    """Whether the API can hold its answer to the schema exactly; else the schema is a request only.

    Strict mode wants closed objects without optional properties, and a part of JSON Schema's keywords.
    """
    if not isinstance(schema, dict) or not schema.keys() <= _STRICT:
        return False
    if root and schema.get("type") != "object":
        return False
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False
        or sorted(schema.get("required", ())) != sorted(properties)
    ):
        return False
    inner: list[Schema] = [*properties.values(), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    if "items" in schema:
        inner.append(schema["items"])
    return all(_is_strict(part, root=False) for part in inner)


_is_strict_once: Final = Once(_is_strict)


# --- what the stream holds; fields that are not listed are of no use here ------------------------------

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _CallDelta(msgspec.Struct):
    index: int
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_CallDelta] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: _Count | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: _Count | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: ProviderError | None = None


_CHUNK: Final = msgspec.json.Decoder(_Chunk)


class _Call(msgspec.Struct):
    """A call whose pieces are still arriving."""

    id: str = ""
    name: str = ""
    arguments: list[str] = []

    def finished(self) -> ToolCall:
        if not self.id or not self.name:
            raise ModelError("provider sent a tool call without an id or a name")
        return ToolCall(id=self.id, name=self.name, arguments="".join(self.arguments))


def _collect(calls: dict[int, _Call], part: _CallDelta) -> None:
    call = calls.setdefault(part.index, _Call())
    call.id = part.id or call.id
    if part.function is not None:
        call.name = part.function.name or call.name
        call.arguments.append(part.function.arguments or "")


def _usage(reported: _Usage) -> Usage:
    cached = reported.prompt_tokens_details or _PromptDetails()
    reasoning = reported.completion_tokens_details or _CompletionDetails()
    return Usage(
        input=reported.prompt_tokens,
        output=reported.completion_tokens,
        cached_input=cached.cached_tokens or 0,
        reasoning=reasoning.reasoning_tokens or 0,
    )
