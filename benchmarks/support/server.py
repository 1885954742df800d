"""A server on loopback for `benchmarks/broker.py`: HTTP/1.1, keep-alive, one fixed answer for each method.

    python server.py

Prints its port on the first line, and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

TICKET = {
    "id": "T-1001",
    "customer_id": "C-77",
    "subject": "The lamp arrived broken",
    "status": "open",
    "messages": [{"from": "customer", "text": "Please refund me. " * 8} for _ in range(6)],
}
REFUND = {"id": "R-501", "ticket_id": "T-1001", "amount": 12.5, "currency": "EUR"}


def answer(status: str, value: object) -> bytes:
    """A whole answer."""
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWERS = {b"GET": answer("200 OK", TICKET), b"POST": answer("201 Created", REFUND)}


class Exchange(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, rest = self.waiting.partition(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(rest) < length:
                return
            self.waiting = rest[length:]
            self.transport.write(ANSWERS[head.partition(b" ")[0]])


async def serve() -> None:
    """Listen on a free port until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Exchange, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
