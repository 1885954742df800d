"""What the service costs beside a bare handler: whole runs over HTTP, kept and recorded, many at a time.

    python benchmarks/serve.py [--repeats N] [--runs N] [--at-once N ...] [--soak SECONDS]

Model and tool are one loopback server in another process; the services are processes of their own too, and
uvicorn with the same parser is under all of them. Each run is one request, two model turns and a tool call:

- `agentc`: `agentc serve` with API keys, rate limits, permissions, the audit log and durable steps in SQLite;
- `httpx`: a FastAPI handler with the loop by hand on httpx, which keeps nothing; `same`: on our transport.

`ratio` is the time that a run takes with 50 at a time, `agentc` against `httpx`. With `--soak` only `agentc`
runs, with 20 at a time, for so many seconds: its memory after a quarter of them, and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from interpreter import made, server
from support.figures import ROOT, CannotMeasureError, child_environment, finish, main
from support.turns import ENVIRON

from agentc_service.auth.api_keys import make_key, write_keys

SOAK_AT_ONCE = 20
MB = 1024 * 1024
BODY = json.dumps({"agent": "triage", "input": {}}).encode()


class Target(NamedTuple):
    """A service that takes runs at POST /v1/runs."""

    port: int
    pid: int
    key: str = ""

    @property
    def memory(self) -> int:
        """The bytes of memory that it holds."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Figures(NamedTuple):
    """Runs a second, and the 95th percentile of their milliseconds."""

    per_second: float
    p95: float


@contextmanager
def agentc(folder: Path) -> Iterator[Target]:
    """`agentc serve` in a process of its own, its store in `folder`."""
    key, kept = make_key(tenant="acme", subject="load", roles=("caller",), now=datetime.now(UTC))
    write_keys(folder / "keys.jsonl", {kept.id: kept})
    (folder / "service.yaml").write_text(
        textwrap.dedent("""\
        apiVersion: agentc/v1
        kind: Service
        metadata: { name: bench, version: 1.0.0, owner: bench }
        spec:
          agents: [{ bundle: bundle, environment: local }]
          auth: { api_keys: { file: keys.jsonl } }
          limits: { requests_per_minute: 1000000, runs: 100 }
        """)
    )
    command = (sys.executable, "-m", "agentc", "serve", folder / "service.yaml", "--listen", "127.0.0.1:0")
    with started([str(part) for part in command], stream="stderr") as (process, line):
        port = int(re.findall(r":(\d+)$", line)[0])
        yield Target(port, process.pid, key)


@contextmanager
def bare(url: str, by: str, bundle: Path) -> Iterator[Target]:
    """The handler by hand."""
    script = Path(__file__).parent / "support" / "bare_handler.py"
    with started([sys.executable, str(script), url, by, str(bundle)], stream="stdout") as (process, line):
        yield Target(int(line), process.pid)


@contextmanager
def started(command: list[str], *, stream: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process and the first line that it says."""
    with subprocess.Popen(
        command, env=child_environment(**ENVIRON), text=True, **{stream: subprocess.PIPE}
    ) as process:
        said = getattr(process, stream)
        try:
            yield process, said.readline().strip()
        finally:
            process.terminate()
            process.wait(60)


class Client:
    """One connection that makes one request after the other: HTTP/1.1 by hand, so that it costs little."""

    async def connect(self, target: Target) -> None:
        """Open the connection, again while nobody listens yet."""
        for _ in range(500):
            try:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", target.port)
                break
            except OSError:
                await asyncio.sleep(0.02)
        head = (
            "POST /v1/runs?wait=60 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        )
        self._request = head.encode() + BODY

    async def run(self) -> float:
        """One run; its milliseconds."""
        begun = time.perf_counter()
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        assert length, head
        body = await self._reader.readexactly(int(length[1]))
        if head[9:12] != b"201" or json.loads(body)["output"] != "Done.":
            raise CannotMeasureError(f"a run was answered with {(head + body).decode(errors='replace')}")
        return (time.perf_counter() - begun) * 1000

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


async def load(target: Target, runs: int, at_once: int) -> Figures:
    """So many runs, so many at a time."""
    clients = [Client() for _ in range(at_once)]
    await asyncio.gather(*(client.connect(target) for client in clients))
    left = iter(range(runs))
    taken: list[float] = []

    async def one(client: Client) -> None:
        for _ in left:
            taken.append(await client.run())

    begun = time.perf_counter()
    await asyncio.gather(*(one(client) for client in clients))
    seconds = time.perf_counter() - begun
    await asyncio.gather(*(client.close() for client in clients))
    return Figures(runs / seconds, statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0])


async def compared(targets: dict[str, Target], arguments: argparse.Namespace) -> dict[str, float]:
    """The figures of each target at each concurrency, in turn; medians."""
    figures: dict[str, float] = {}
    for target in targets.values():
        await load(target, 20, 5)
    began = targets["agentc"].memory
    for at_once in arguments.at_once:
        # with many at a time each takes a turn at least
        runs = max(arguments.runs, at_once) if at_once > 1 else max(2, arguments.runs // 4)
        seen: dict[str, list[Figures]] = {name: [] for name in targets}
        for _ in range(arguments.repeats):
            for name, target in targets.items():
                seen[name].append(await load(target, runs, at_once))
        for name, found in seen.items():
            figures[f"{name}_{at_once}_per_second"] = statistics.median(one.per_second for one in found)
            figures[f"{name}_{at_once}_p95_ms"] = statistics.median(one.p95 for one in found)
        mine = figures[f"agentc_{at_once}_per_second"]
        for name in targets:
            if name != "agentc":
                figures[f"{name}_{at_once}_ratio"] = figures[f"{name}_{at_once}_per_second"] / mine
    figures["memory_mb"] = targets["agentc"].memory / MB
    figures["growth_mb"] = (targets["agentc"].memory - began) / MB
    return figures


async def soak(target: Target, seconds: float) -> dict[str, float]:
    """Runs for so long. Memory is constant when what it was after a quarter is what it is at the end."""
    clients = [Client() for _ in range(SOAK_AT_ONCE)]
    await asyncio.gather(*(client.connect(target) for client in clients))
    end = time.monotonic() + seconds
    taken: list[float] = []

    async def one(client: Client) -> None:
        while time.monotonic() < end:
            taken.append(await client.run())

    async def watched() -> list[int]:
        seen = [target.memory]
        while time.monotonic() < end:
            await asyncio.sleep(seconds / 40)
            seen.append(target.memory)
        return seen

    memory, *_ = await asyncio.gather(watched(), *(one(client) for client in clients))
    await asyncio.gather(*(client.close() for client in clients))
    warm = max(memory[: len(memory) // 4])
    return {
        "seconds": seconds,
        "runs": len(taken),
        "per_second": len(taken) / seconds,
        "p95_ms": statistics.quantiles(taken, n=20)[-1],
        "warm_mb": warm / MB,
        "end_mb": memory[-1] / MB,
        "growth_mb": (memory[-1] - warm) / MB,
    }


def measure(arguments: argparse.Namespace) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT)))
        for path, content in made(folder / "project", url).files.items():
            (folder / "bundle" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "bundle" / path).write_bytes(content)
        target = stack.enter_context(agentc(folder))
        if arguments.soak:
            figures = asyncio.run(soak(target, arguments.soak))
            ratio = figures["end_mb"] / figures["warm_mb"]
            finish("serve_soak", "its own memory after a quarter of the time", ratio, "1.1x", figures)
            return
        targets = {"agentc": target}
        for by in ("httpx", "same"):
            targets[by] = stack.enter_context(bare(url, by, folder / "bundle"))
        figures = asyncio.run(compared(targets, arguments))
    for at_once in arguments.at_once:
        for name in targets:
            rate, p95 = (figures[f"{name}_{at_once}_{what}"] for what in ("per_second", "p95_ms"))
            print(f"{at_once:4} at once  {name:8} {rate:8.1f} runs/s  p95 {p95:8.1f} ms")
    shown = 50 if 50 in arguments.at_once else arguments.at_once[-1]
    finish("serve", "a bare FastAPI handler on httpx", figures[f"httpx_{shown}_ratio"], "2x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each takes its turn")
    parser.add_argument("--runs", type=int, default=200, help="runs in a turn, and more for many at a time")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 50, 500], help="runs at a time")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="run agentc alone for so long")
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    sys.exit(main(lambda: measure(asked)))
