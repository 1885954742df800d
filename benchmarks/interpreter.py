"""What a whole run costs: two model turns and one tool call, against loops by hand and against frameworks.

    python benchmarks/interpreter.py [--repeats N] [--pairs N] [--runs N] [--at-once N]

Model and service are one loopback server in another process. All make the same three requests:

- `agentc`: a run of a compiled agent, with its permissions, its checks and labels, keeping nothing;
- `same`: a loop by hand on agentc's transport; `httpx`: a loop by hand on httpx;
- `pydantic_ai`, `openai_agents`: an agent with one tool; `langgraph`: a graph of a model and a tool, whose
  model is asked by OpenAI's client.

`ratio` is agentc against the loop on the same transport, one run after the other: the median over many short
turns, one of each after the other, so that what else the machine does hits both. Then so many at once. Last,
what a run holds in memory that waits for its model, and what the loop by hand does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

from support.figures import ROOT, CannotMeasureError, finish, main
from support.frameworks import frameworks
from support.turns import ENVIRON, Way, on_httpx, on_same

sys.path.insert(0, str(ROOT / "tests" / "support"))

import httpx
import live_service

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.calls import ApprovalRequest, Decision
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.run import run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle, load_bundle
from agentc_runtime.wire import HttpRequest, HttpResponse, Transport


@contextmanager
def server() -> Iterator[str]:
    """The URL of the model and the service."""
    command = [sys.executable, str(Path(__file__).parent / "support" / "turns_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        yield f"http://127.0.0.1:{int(running.stdout.readline())}"
        running.stdin.close()


def made(folder: Path, url: str) -> Bundle:
    ticket = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    answer = {"description": "it", "content": {"application/json": {"schema": ticket}}}
    identity = {"name": "ticket_id", "in": "path", "required": True, "schema": {"type": "string"}}
    get = {
        "operationId": "getTicket", "summary": "getTicket", "security": [], "parameters": [identity],
        "responses": {"200": answer},
    }  # fmt: skip
    live_service.write_project(
        folder,
        model=url,
        document={
            "openapi": "3.1.0",
            "info": {"title": "Desk", "version": "1"},
            "paths": {"/tickets/{ticket_id}": {"get": get}},
        },
        toolset={
            "server": "${env.DESK_URL}",
            "tools": {"get_ticket": {"operation": "getTicket", "effect": "read"}},
        },
        environment={"variables": {"DESK_URL": url}, "private_hosts": [url.removeprefix("http://")]},
        grants=({"tool": "desk.get_ticket"},),
    )
    result = check_project(folder)
    if not result.ok:
        raise CannotMeasureError("the project of the benchmark has findings")
    return load_bundle(bundle_files(result, result.program.agents["triage"]))


class Nobody:
    """An approver who is never asked here."""

    async def ask(self, request: ApprovalRequest) -> Decision:
        return Decision(approved=False, by="nobody")


def agentc(bundle: Bundle, transport: Transport, secrets: Secrets) -> Way:
    async def run() -> None:
        result = await run_bundle(
            bundle, input={}, session={}, environment="local", transport=transport,
            model_transport=transport, journal=MemoryJournal(), approver=Nobody(), secrets=secrets,
            emit=lambda event: None,
        )  # fmt: skip
        assert result.output == "Done.", result

    return run


async def one_by_one(way: Way, runs: int) -> float:
    """Milliseconds of a run."""
    begun = time.perf_counter()
    for _ in range(runs):
        await way()
    return (time.perf_counter() - begun) * 1000 / runs


async def together(way: Way, runs: int, at_once: int) -> float:
    """Runs a second."""
    left = iter(range(runs))

    async def one() -> None:
        for _ in left:
            await way()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return runs / (time.perf_counter() - begun)


class Overheard:
    """A transport that notes what is sent: method, path, headers, and what the body says."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sent: list[tuple[str, str, dict[str, str], object]] = []

    def send(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        said = None if request.body is None else json.loads(request.body)
        self.sent.append((request.method, request.url, dict(request.headers), said))
        return self._transport.send(request)

    async def close(self) -> None:
        """It is another's."""


async def must_ask_the_same(url: str, bundle: Bundle, transport: Transport, secrets: Secrets) -> None:
    """Raises `CannotMeasureError` unless a run and the loop by hand send the same requests."""
    ours, theirs = Overheard(transport), Overheard(transport)
    await agentc(bundle, ours, secrets)()
    await on_same(url, theirs)()
    if ours.sent != theirs.sent:
        raise CannotMeasureError(f"not the same requests: {ours.sent} and {theirs.sent}")


class Silent:
    """A model that does not answer, for as long as one waits. `left` is how many requests are to come."""

    def __init__(self) -> None:
        self.left = 0
        self.all_asked = asyncio.Event()

    def send(self, request: HttpRequest) -> Silent:
        return self

    async def __aenter__(self) -> NoReturn:
        self.left -= 1
        if not self.left:
            self.all_asked.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers")

    async def __aexit__(self, *error: object) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""


async def kept_by_waiting(way: Way, silent: Silent, runs: int = 500) -> float:
    """KiB that each of so many runs holds while it waits for its model."""
    silent.left = runs
    silent.all_asked.clear()
    gc.collect()
    tracemalloc.start()
    tasks = [asyncio.ensure_future(way()) for _ in range(runs)]
    await silent.all_asked.wait()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return held / 1024 / runs


async def measured(url: str, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    bundle = made(folder / "project", url)
    environment = bundle.program.environments["local"]
    secrets = Secrets(environment, ENVIRON)
    async with AsyncExitStack() as stack:
        transport = HttpTransport(environment, secrets)
        stack.push_async_callback(transport.close)
        await must_ask_the_same(url, bundle, transport, secrets)
        client = await stack.enter_async_context(httpx.AsyncClient())
        ways = {
            "agentc": agentc(bundle, transport, secrets),
            "same": on_same(url, transport),
            "httpx": on_httpx(url, client),
            **frameworks(url, client),
        }
        single: dict[str, list[float]] = {name: [] for name in ways}
        many: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            await one_by_one(way, 3)
        for _ in range(arguments.repeats):
            for name, way in ways.items():
                single[name].append(await one_by_one(way, arguments.runs))
        pairs = [
            await one_by_one(ways["agentc"], arguments.runs) / await one_by_one(ways["same"], arguments.runs)
            for _ in range(arguments.pairs)
        ]
        for _ in range(arguments.repeats):
            for name, way in ways.items():
                many[name].append(await together(way, arguments.runs * 4, arguments.at_once))
        silent = Silent()
        waiting = {
            "agentc_waiting_kib": await kept_by_waiting(agentc(bundle, silent, secrets), silent),
            "same_waiting_kib": await kept_by_waiting(on_same(url, silent), silent),
        }
    return (
        {"ratio": statistics.median(pairs)}
        | waiting
        | {f"{name}_ms": statistics.median(taken) for name, taken in single.items()}
        | {f"{name}_runs_per_second": statistics.median(taken) for name, taken in many.items()}
    )


def measure(arguments: argparse.Namespace) -> None:
    with server() as url, tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT) as folder:
        figures = asyncio.run(measured(url, Path(folder), arguments))
    for name in sorted({key.removesuffix("_ms") for key in figures if key.endswith("_ms")}):
        print(f"{name:15} {figures[f'{name}_ms']:7.2f} ms  {figures[f'{name}_runs_per_second']:8.1f} runs/s")
    print(
        f"waiting: {figures['agentc_waiting_kib']:.1f} KiB a run, {figures['same_waiting_kib']:.1f} of a loop"
    )
    peers = ("pydantic_ai", "openai_agents", "langgraph")
    figures["frameworks_ratio"] = figures["agentc_ms"] / min(figures[f"{name}_ms"] for name in peers)
    figures["concurrent_httpx_ratio"] = figures["agentc_runs_per_second"] / figures["httpx_runs_per_second"]
    figures["concurrent_same_ratio"] = figures["same_runs_per_second"] / figures["agentc_runs_per_second"]
    finish("interpreter", "a loop by hand on the same transport", figures.pop("ratio"), "1.5x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each way takes its turn")
    parser.add_argument("--pairs", type=int, default=50, help="turns of agentc and the loop on its transport")
    parser.add_argument("--runs", type=int, default=40, help="runs in a turn")
    parser.add_argument("--at-once", type=int, default=50, help="runs at once")
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    sys.exit(main(lambda: measure(asked)))
