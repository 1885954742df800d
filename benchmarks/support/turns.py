"""The run of `benchmarks/interpreter.py` by hand: two model turns and a call, on httpx or our transport."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from agentc_runtime.wire import HttpRequest, Transport

KEY = "key-of-the-model"
ENVIRON = {"MODEL_KEY": KEY}
STREAM = {"accept": "text/event-stream", "authorization": f"Bearer {KEY}"}
PLAIN = {"accept": "application/json"}
Way = Callable[[], Awaitable[None]]
TOOL = {
    "type": "function",
    "function": {
        "name": "desk__get_ticket",
        "description": "getTicket",
        "parameters": {
            "additionalProperties": False,
            "properties": {"ticket_id": {"type": "string"}},
            "required": ["ticket_id"],
            "type": "object",
        },
    },
}


def conversation(
    ask: Callable[[dict[str, Any]], Awaitable[bytes]], get: Callable[[str], Awaitable[bytes]]
) -> Way:
    """The requests that agentc makes, by hand: `interpreter.py` compares them before it measures."""

    async def run() -> None:
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": "Do your work."},
            {"role": "user", "content": "{}"},
        ]
        while True:
            said = {
                "model": "fake", "messages": messages, "max_completion_tokens": 4096, "stream": True,
                "stream_options": {"include_usage": True}, "tools": [TOOL], "tool_choice": "auto",
                "parallel_tool_calls": True,
            }  # fmt: skip
            text, calls = "", []
            for line in (await ask(said)).decode().split("\n\n"):
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        text += choice["delta"].get("content") or ""
                        calls += choice["delta"].get("tool_calls") or []
            if not calls:
                assert text == "Done."
                return
            made = [{key: call[key] for key in ("id", "type", "function")} for call in calls]
            messages.append({"role": "assistant", "tool_calls": made})
            arguments = json.loads(calls[0]["function"]["arguments"])
            answer = json.loads(await get(f"/tickets/{arguments['ticket_id']}"))
            content = json.dumps(answer, separators=(",", ":"))
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": content})

    return run


def on_same(url: str, transport: Transport) -> Way:
    async def exchange(method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
        request = HttpRequest(
            method=method, url=f"{url}{path}", headers=headers, body=body, origin=url, timeout_ms=60_000,
            max_response_bytes=1 << 20,
        )  # fmt: skip
        async with transport.send(request) as answer:
            return b"".join([chunk async for chunk in answer.chunks()])

    async def ask(said: dict[str, Any]) -> bytes:
        headers = {**STREAM, "content-type": "application/json"}
        return await exchange("POST", "/v1/chat/completions", headers, json.dumps(said).encode())

    async def get(path: str) -> bytes:
        return await exchange("GET", path, PLAIN, None)

    return conversation(ask, get)


def on_httpx(url: str, client: httpx.AsyncClient) -> Way:
    async def ask(said: dict[str, Any]) -> bytes:
        async with client.stream("POST", f"{url}/v1/chat/completions", json=said, headers=STREAM) as answer:
            return await answer.aread()

    async def get(path: str) -> bytes:
        return (await client.get(f"{url}{path}", headers=PLAIN)).content

    return conversation(ask, get)
