"""A model provider on loopback that says what a script tells it to, in three real streaming wire formats.

    python tests/support/fake_provider.py --port 0 --script FILE.json

The port is the first line on stdout. The n-th request is answered with the n-th turn of the script, in the
format that the URL's path asks for: `…/chat/completions` (OpenAI), `…/messages` (Anthropic),
`…:streamGenerateContent` (Gemini). A script is a list of turns:

    {"text": "…",
     "calls": [{"name": "…", "arguments": {…} or "raw text"}],
     "thinking": {"text": "…", "signature": "…"},
     "usage": {"input": 1, "output": 1, "cached_input": 0, "reasoning": 0},
     "finish": "stop" or "length" or "content_filter",
     "error": {"status": 429, "message": "…", "retry_after": 1},
     "raw": "a body sent as it is", "type": "its content type",
     "when": "a text in the request"}

A turn with `when` answers the next request that holds the text, whatever comes before it: for models that are
asked at the same time. All keys are optional. Standard library only, so that it runs wherever Python does.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

PIECE = 12
EVENTS = "text/event-stream; charset=utf-8"


class Seen(NamedTuple):
    """One request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


class FakeProvider:
    """The server. `requests` holds what arrived, in order. Use as a context manager, or `serve_forever`."""

    def __init__(self, turns: Sequence[dict[str, Any]], port: int = 0) -> None:
        self.turns = list(turns)
        self.requests: list[Seen] = []
        self._given: set[int] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> FakeProvider:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve until the process is stopped."""
        self._server.serve_forever()

    def next_turn(self, seen: Seen) -> tuple[int, dict[str, Any]]:
        """The number of the request, counted from 1, and what to say."""
        with self._lock:
            self.requests.append(seen)
            number = len(self.requests)
            asked = json.dumps(seen.body, ensure_ascii=False)
            for index, turn in enumerate(self.turns):
                if turn.get("when", "\0") in asked and index not in self._given:
                    self._given.add(index)
                    return index + 1, turn
        if number > len(self.turns):
            message = f"the script has {len(self.turns)} turns, and this is request {number}"
            return number, {"error": {"status": 400, "message": message}}
        return number, self.turns[number - 1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                number, turn = provider.next_turn(Seen(self.path, headers, json.loads(data)))
                form = form_of(self.path)
                if form is None:
                    turn = {"error": {"status": 404, "message": f"no such path: {self.path}"}}
                if "error" in turn:
                    self._error(turn["error"])
                elif "raw" in turn:
                    self._stream([turn["raw"]], turn.get("type", EVENTS))
                else:
                    self._stream(stream(form or "openai", turn, number))

            def _stream(self, pieces: Sequence[str] | Iterator[str], kind: str = EVENTS) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in pieces:
                    data = piece.encode("utf-8", "surrogateescape")
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if data else b"")
                self.wfile.write(b"0\r\n\r\n")

            def _error(self, error: dict[str, Any]) -> None:
                data = json.dumps({"error": {"message": error.get("message", ""), "type": "error"}}).encode()
                self.send_response(error["status"])
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                if "retry_after" in error:
                    self.send_header("retry-after", str(error["retry_after"]))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Stdout is for the port only."""

        return Handler


def form_of(path: str) -> str | None:
    """The wire format that a URL path asks for."""
    plain = path.partition("?")[0]
    if plain.endswith("/chat/completions"):
        return "openai"
    if plain.endswith("/messages"):
        return "anthropic"
    if plain.endswith(":streamGenerateContent"):
        return "gemini"
    return None


def stream(form: str, turn: dict[str, Any], number: int) -> Iterator[str]:
    """The events of one turn in `form`, each with its blank line."""
    return {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}[form](turn, number)


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def _arguments(call: dict[str, Any]) -> str:
    arguments = call.get("arguments", {})
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _usage(turn: dict[str, Any]) -> dict[str, int]:
    return {"input": 100, "output": 20, "cached_input": 0, "reasoning": 0, **turn.get("usage", {})}


def _openai(turn: dict[str, Any], number: int) -> Iterator[str]:
    calls = turn.get("calls", ())
    head = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "fake-openai",
    }

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return f"data: {json.dumps({**head, 'choices': [choice], 'usage': None})}\n\n"

    yield event({"role": "assistant", "content": "" if turn.get("text") else None, "refusal": None})
    for piece in _pieces(turn.get("text", "")):
        yield event({"content": piece})
    for index, call in enumerate(calls):
        identity = {"index": index, "id": f"call_{number}_{index}", "type": "function"}
        yield event({"tool_calls": [{**identity, "function": {"name": call["name"], "arguments": ""}}]})
        for piece in _pieces(_arguments(call)):
            yield event({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield event({}, turn.get("finish", "tool_calls" if calls else "stop"))
    usage = _usage(turn)
    total = {
        "prompt_tokens": usage["input"],
        "completion_tokens": usage["output"],
        "total_tokens": usage["input"] + usage["output"],
        "prompt_tokens_details": {"cached_tokens": usage["cached_input"]},
        "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]},
    }
    yield f"data: {json.dumps({**head, 'choices': [], 'usage': total})}\n\n"
    yield "data: [DONE]\n\n"


def _anthropic(turn: dict[str, Any], number: int) -> Iterator[str]:
    calls, usage = turn.get("calls", ()), _usage(turn)

    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    def block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[str]:
        yield event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)

    counted = {
        "input_tokens": usage["input"] - usage["cached_input"] - usage.get("cache_write", 0),
        "cache_read_input_tokens": usage["cached_input"],
        "cache_creation_input_tokens": usage.get("cache_write", 0),
        "output_tokens": 1,
    }
    message = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "fake-anthropic",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": counted,
    }
    yield event("message_start", message=message)
    yield event("ping")
    index = 0
    if "thinking" in turn:
        thinking = turn["thinking"]
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(thinking["text"])]
        deltas.append({"type": "signature_delta", "signature": thinking["signature"]})
        yield from block(index, {"type": "thinking", "thinking": "", "signature": ""}, deltas)
        index += 1
    if turn.get("text"):
        deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(turn["text"])]
        yield from block(index, {"type": "text", "text": ""}, deltas)
        index += 1
    for order, call in enumerate(calls):
        start = {"type": "tool_use", "id": f"toolu_{number}_{order}", "name": call["name"], "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(_arguments(call))]
        yield from block(index, start, deltas)
        index += 1
    reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    stop = reasons[turn["finish"]] if "finish" in turn else "tool_use" if calls else "end_turn"
    details = {"thinking_tokens": usage["reasoning"]}
    yield event(
        "message_delta",
        delta={"stop_reason": stop, "stop_sequence": None},
        usage={"output_tokens": usage["output"], "output_tokens_details": details},
    )
    yield event("message_stop")


def _gemini(turn: dict[str, Any], number: int) -> Iterator[str]:
    usage = _usage(turn)

    def event(parts: list[dict[str, Any]], **fields: Any) -> str:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if "finish" in fields:
            candidate["finishReason"] = fields.pop("finish")
        head = {"modelVersion": "fake-gemini", "responseId": f"resp-{number}"}
        return f"data: {json.dumps({'candidates': [candidate], **fields, **head})}\r\n\r\n"

    thinking = turn.get("thinking", {})
    for piece in _pieces(thinking.get("text", "")):
        yield event([{"text": piece, "thought": True}])
    for piece in _pieces(turn.get("text", "")):
        yield event([{"text": piece}])
    for index, call in enumerate(turn.get("calls", ())):
        arguments = call.get("arguments", {})
        part: dict[str, Any] = {"functionCall": {"name": call["name"], "args": arguments}}
        if index == 0 and thinking:
            part["thoughtSignature"] = thinking["signature"]
        yield event([part])
    reasons = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
    counted = {
        "promptTokenCount": usage["input"],
        "candidatesTokenCount": usage["output"] - usage["reasoning"],
        "thoughtsTokenCount": usage["reasoning"],
        "cachedContentTokenCount": usage["cached_input"],
        "totalTokenCount": usage["input"] + usage["output"],
    }
    yield event([], finish=reasons[turn.get("finish", "stop")], usageMetadata=counted)


def main() -> None:
    """Run the server until it is stopped."""
    parser = argparse.ArgumentParser(description="a scripted model provider on loopback")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True)
    options = parser.parse_args()
    provider = FakeProvider(json.loads(options.script.read_text(encoding="utf-8")), options.port)
    print(provider.port, flush=True)
    provider.serve_forever()


if __name__ == "__main__":
    main()
