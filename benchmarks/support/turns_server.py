"""A model and a service on loopback for `benchmarks/interpreter.py`: a tool call, then an answer.

    python turns_server.py

Prints its port on the first line, and serves until its input ends. A model request that holds no answer of a
tool yet is answered with a call of `desk__get_ticket`, any other with a text; as a stream if it asks for one.
"""

from __future__ import annotations

import asyncio
import json
import sys

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "desk__get_ticket", "arguments": '{"ticket_id": "T-1"}'},
}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
COMMON = {"id": "c-1", "created": 0, "model": "fake"}


def http(body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def whole(message: dict[str, object], reason: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    said = {**COMMON, "object": "chat.completion", "choices": [choice], "usage": USAGE}
    return http(json.dumps(said).encode(), "application/json")


def streamed(delta: dict[str, object], reason: str) -> bytes:
    chunks = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = [json.dumps({**COMMON, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
    body = "".join(f"data: {line}\n\n" for line in (*lines, "[DONE]"))
    return http(body.encode(), "text/event-stream")


#: By whether a stream is wanted and whether a tool has answered.
ANSWERS = {
    (False, False): whole({"content": None, "tool_calls": [CALL]}, "tool_calls"),
    (False, True): whole({"content": "Done."}, "stop"),
    (True, False): streamed({"content": None, "tool_calls": [{"index": 0, **CALL}]}, "tool_calls"),
    (True, True): streamed({"content": "Done."}, "stop"),
}
TICKET = http(b'{"id": "T-1"}', "application/json")


class Exchange(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.waiting) < end + 4 + length:
                return
            body = self.waiting[end + 4 : end + 4 + length]
            self.waiting = self.waiting[end + 4 + length :]
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.write(TICKET if head.startswith(b"get") else self.say(body))

    def say(self, body: bytes) -> bytes:
        """The model's answer."""
        asked = json.loads(body)
        done = any(message.get("role") == "tool" for message in asked["messages"])
        return ANSWERS[bool(asked.get("stream")), done]


async def serve() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Exchange, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
