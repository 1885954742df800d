"""The run of `benchmarks/interpreter.py` by hand: two model turns and a call, on httpx or our transport."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from agentc_runtime.wire import HttpRequest, Transport

KEY = "key-of-the-model"
ENVIRON = {"MODEL_KEY": KEY}
Way = Callable[[], Awaitable[None]]
TOOL = {
    "type": "function",
    "function": {
        "name": "desk__get_ticket",
        "description": "getTicket",
        "parameters": {"type": "object", "properties": {"ticket_id": {"type": "string"}}},
    },
}


def conversation(
    ask: Callable[[dict[str, Any]], Awaitable[bytes]], get: Callable[[str], Awaitable[bytes]]
) -> Way:
    """The same requests by hand."""

    async def run() -> None:
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": "Do your work."},
            {"role": "user", "content": "{}"},
        ]
        while True:
            said = {
                "model": "fake", "messages": messages, "tools": [TOOL], "stream": True,
                "stream_options": {"include_usage": True},
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
            messages.append({"role": "assistant", "content": text, "tool_calls": calls})
            arguments = json.loads(calls[0]["function"]["arguments"])
            answer = json.loads(await get(f"/tickets/{arguments['ticket_id']}"))
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": json.dumps(answer)})

    return run


def on_same(url: str, transport: Transport) -> Way:
    async def exchange(method: str, path: str, body: bytes | None) -> bytes:
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        request = HttpRequest(
            method=method, url=f"{url}{path}", headers=headers, body=body, origin=url, timeout_ms=60_000,
            max_response_bytes=1 << 20,
        )  # fmt: skip
        async with transport.send(request) as answer:
            return b"".join([chunk async for chunk in answer.chunks()])

    async def ask(said: dict[str, Any]) -> bytes:
        return await exchange("POST", "/v1/chat/completions", json.dumps(said).encode())

    async def get(path: str) -> bytes:
        return await exchange("GET", path, None)

    return conversation(ask, get)


def on_httpx(url: str, client: httpx.AsyncClient) -> Way:
    headers = {"authorization": f"Bearer {KEY}"}

    async def ask(said: dict[str, Any]) -> bytes:
        async with client.stream("POST", f"{url}/v1/chat/completions", json=said, headers=headers) as answer:
            return await answer.aread()

    async def get(path: str) -> bytes:
        return (await client.get(f"{url}{path}", headers=headers)).content

    return conversation(ask, get)
