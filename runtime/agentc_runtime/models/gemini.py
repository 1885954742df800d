"""The wire format of Gemini's generateContent."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from .history import arguments_object, spoken
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

API_VERSION: Final = "v1"
#: What the API documents for calls in a history that another model wrote, which have no signature of its own.
_NO_SIGNATURE: Final = "skip_thought_signature_validator"

_FILTERED: Final = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)
#: The model wrote something that the provider could not use; another try may do better.
_FAILED: Final = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE", "OTHER"}
)


def build(request: ModelRequest, base_url: str, secret: str | None) -> WireRequest:
    """The streaming request for one turn, `base_url` being the API's root, without its version."""
    model = request.model
    generation: dict[str, object] = {"maxOutputTokens": model.max_output_tokens}
    if model.temperature is not None:
        generation["temperature"] = float(model.temperature)
    if request.output is not None:
        generation["responseMimeType"] = "application/json"
        generation["responseJsonSchema"] = request.output
    body: dict[str, object] = {"contents": _contents(request), "generationConfig": generation}
    if request.instructions:
        body["systemInstruction"] = {"parts": [{"text": request.instructions}], "role": "user"}
    if request.tools:
        declarations = [
            {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
            for tool in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declarations}]
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if secret is not None:
        headers["x-goog-api-key"] = secret
    name = quote(model.model, safe="")
    return WireRequest(
        method="POST",
        url=f"{base_url.rstrip('/')}/{API_VERSION}/models/{name}:streamGenerateContent?alt=sse",
        headers=headers,
        body=msgspec.json.encode(body),
    )


def parse() -> Reading:
    """Texts and, last, the response. Parts with a thought signature are kept in `provider_data`.

    The format has no mark for its end; a stream without a finish reason ended early.

    Raises:
        ModelError: as `Adapter.parse`.
    """
    parts: list[_Part] = []
    finish: str | None = None
    blocked = False
    usage, identity, model = Usage(), "", ""
    seen = hashlib.sha256()
    said: tuple[str, ...] = ()
    while (event := (yield said)) is not None:
        data, said = event[1], ()
        seen.update(data.encode())
        chunk = read(_CHUNK, data)
        if chunk.error is not None:
            raise stream_error(chunk.error)
        identity, model = chunk.response_id or identity, chunk.model_version or model
        blocked = blocked or (chunk.prompt_feedback or _Feedback()).block_reason is not None
        if chunk.usage_metadata is not None:
            usage = _usage(chunk.usage_metadata)
        for candidate in (chunk.candidates or ())[:1]:
            finish = candidate.finish_reason or finish
            for part in (candidate.content or _Content()).parts or ():
                parts.append(part)
                if part.text and not part.thought:
                    said += (part.text,)
    reason = _reason(finish, blocked)
    # A turn that was cut off proposes nothing: its last call may lack what would have limited it.
    calls = _calls(parts, seen.hexdigest()[:24]) if reason == "stop" else ()
    signed = any(part.thought_signature or part.function_call for part in parts)
    return ModelResponse(
        message=AssistantMessage(
            text="".join(part.text or "" for part in parts if not part.thought),
            calls=calls,
            provider_data={"gemini": _sent_back(parts)} if signed and reason == "stop" else None,
        ),
        finish_reason="tool_calls" if calls else reason,
        usage=usage,
        response_id=identity,
        response_model=model,
    )


def _reason(finish: str | None, blocked: bool) -> Literal["stop", "length", "content_filter"]:
    if blocked or finish in _FILTERED:
        return "content_filter"
    if finish is None:
        raise ModelError("provider's stream ended before the answer did", retryable=True)
    if finish == "STOP":
        return "stop"
    if finish == "MAX_TOKENS":
        return "length"
    if finish in _FAILED:
        raise ModelError(f"provider could not use what the model wrote: `{finish}`", retryable=True)
    raise ModelError(f"provider ended the turn for a reason that is not known: `{finish[:40]}`")


def _calls(parts: list[_Part], unique: str) -> tuple[ToolCall, ...]:
    """The calls. Those to which the provider gave no id get one that no other turn has."""
    calls: list[ToolCall] = []
    for part in parts:
        if part.function_call is None:
            continue
        if not part.function_call.name:
            raise ModelError("provider sent a tool call without a name")
        identity = part.function_call.id or f"call_{unique}_{len(calls)}"
        calls.append(ToolCall(id=identity, name=part.function_call.name, arguments=part.function_call.text()))
    return tuple(calls)


def _sent_back(parts: list[_Part]) -> list[dict[str, object]]:
    """The parts as the provider wants them back. Pieces of running text become one part."""
    kept: list[dict[str, object]] = []
    running: dict[str, object] | None = None
    for part in parts:
        if part.function_call is None and part.text is None and not part.thought_signature:
            continue
        written = part.sent_back()
        joins = part.function_call is None and not part.thought_signature
        if joins and running is not None and running.get("thought") == written.get("thought"):
            running["text"] = f"{running['text']}{written['text']}"
            continue
        running = written if joins else None
        kept.append(written)
    return kept


def _contents(request: ModelRequest) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    invented: set[str] = set()
    for message in spoken(request.messages):
        if isinstance(message, ToolMessage):
            # The answers to the calls of one turn have to come in one content.
            if not results:
                out.append({"role": "user", "parts": results})
            results.append(_result(message, with_id=message.call_id not in invented))
            continue
        results = []
        if isinstance(message, UserMessage):
            out.append({"role": "user", "parts": [{"text": message.text}]})
        else:
            out.append({"role": "model", "parts": _parts(message)})
            invented |= _invented(message)
    return out


def _result(message: ToolMessage, with_id: bool) -> dict[str, object]:
    answer: dict[str, object] = {"id": message.call_id} if with_id else {}
    answer["name"] = message.name
    answer["response"] = {"error" if message.refused else "output": message.content}
    return {"functionResponse": answer}


def _parts(message: AssistantMessage) -> object:
    kept = (message.provider_data or {}).get("gemini")
    if kept is not None:
        return kept
    parts: list[dict[str, object]] = [{"text": message.text}] if message.text else []
    for index, call in enumerate(message.calls):
        part: dict[str, object] = {
            "functionCall": {"id": call.id, "name": call.name, "args": arguments_object(call)}
        }
        if index == 0:
            part["thoughtSignature"] = _NO_SIGNATURE
        parts.append(part)
    return parts


def _invented(message: AssistantMessage) -> set[str]:
    """The ids of calls to which the provider gave none. It would not know them."""
    kept = (message.provider_data or {}).get("gemini")
    if not isinstance(kept, list):
        return set()
    given = {part["functionCall"].get("id") for part in kept if "functionCall" in part}
    return {call.id for call in message.calls} - given


# --- what the stream holds; fields that are not listed are of no use here ------------------------------

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _FunctionCall(msgspec.Struct, rename="camel"):
    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"{}")

    def text(self) -> str:
        """The arguments as they were written."""
        raw = bytes(self.args).decode()
        return "{}" if raw == "null" else raw

    def sent_back(self) -> dict[str, object]:
        name = self.name or ""
        out: dict[str, object] = {"id": self.id} if self.id else {}
        return {
            **out,
            "name": name,
            "args": arguments_object(ToolCall(id="", name=name, arguments=self.text())),
        }


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None

    def sent_back(self) -> dict[str, object]:
        out: dict[str, object] = {}
        if self.function_call is not None:
            out["functionCall"] = self.function_call.sent_back()
        else:
            out["text"] = self.text or ""
        if self.thought:
            out["thought"] = True
        if self.thought_signature:
            out["thoughtSignature"] = self.thought_signature
        return out


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: _Count | None = None
    tool_use_prompt_token_count: _Count | None = None
    candidates_token_count: _Count | None = None
    thoughts_token_count: _Count | None = None
    cached_content_token_count: _Count | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: _Usage | None = None
    prompt_feedback: _Feedback | None = None
    response_id: str | None = None
    model_version: str | None = None
    error: ProviderError | None = None


_CHUNK: Final = msgspec.json.Decoder(_Chunk)


def _usage(reported: _Usage) -> Usage:
    thoughts = reported.thoughts_token_count or 0
    return Usage(
        input=(reported.prompt_token_count or 0) + (reported.tool_use_prompt_token_count or 0),
        output=(reported.candidates_token_count or 0) + thoughts,
        cached_input=reported.cached_content_token_count or 0,
        reasoning=thoughts,
    )
