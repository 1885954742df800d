"""What durability costs, against the bare engine and against LangGraph's checkpointers.

    python benchmarks/durable.py [--repeats N] [--runs N] [--store sqlite|postgres|both]

One run is four model turns and three tool calls: one reads, one carries an idempotency key, one has none. The
model and the service answer at once, inside the process, so that what is measured is what is kept.

- `agentc`: the whole of a durable run: permissions, intents before and outcomes after calls, the audit log.
- `bare`: DBOS itself, a workflow of the same steps by hand: a step for each model turn, one for each intent
  and one for each call. It checks nothing.
- `langgraph`: a graph of a model node and a tool node, its checkpointer in the same kind of database, each
  step synced before the next. It keeps no intents.

They take turns. `ratio` is agentc against bare, of the worse database. Then workers on PostgreSQL: runs a
second of one worker process and of two, and of one with ten times the runs. There each turn and call takes
50 ms, as a fast model would, and 20 runs are under way in a worker.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from support.figures import ROOT, CannotMeasureError, finish, main

sys.path.insert(0, str(ROOT / "tests" / "support"))

import durable_fleet
import live_service
import postgres as postgres_server

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.events import Event
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle, load_bundle
from agentc_runtime.wire import HttpRequest, Transport

ENVIRON = {"MODEL_KEY": "key-of-the-model"}
#: Model turns, intents and outcomes of one run.
STEPS = 10


class Answer:
    """An answer that is there at once."""

    status = 200

    def __init__(self, body: bytes, kind: str) -> None:
        self.headers = {"content-type": kind}
        self._body = body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body


class Instant:
    """The model and the service in this process, after `latency` seconds."""

    def __init__(self, latency: float) -> None:
        self._latency = latency

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[Answer]:
        if self._latency:
            await asyncio.sleep(self._latency)
        if "/chat/completions" in request.url:
            text, call = durable_fleet.say(json.loads(request.body or b""))
            yield Answer(durable_fleet.stream(text, call, 1), "text/event-stream")
        else:
            yield Answer(b'{"id": "T-1"}', "application/json")

    async def close(self) -> None:
        """Nothing is open."""


class Doors:
    """What runs have here beside the store."""

    def __init__(self, latency: float = 0.0) -> None:
        self._instant = Instant(latency)

    def tools(self, live: HttpTransport) -> Transport:
        return self._instant

    def models(self, secrets: Secrets, live: HttpTransport) -> Transport:
        return self._instant

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        return lambda event: None


def made(folder: Path, approval: dict[str, Any] | None = None) -> Bundle:
    """The agent of `tests/support/durable_fleet.py`, compiled."""
    project = durable_fleet.write_project(
        live_service, folder / "project", "http://127.0.0.1:1", "http://127.0.0.1:2", approval=approval
    )
    result = check_project(project)
    if not result.ok:
        raise CannotMeasureError("the project of the benchmark has findings")
    return load_bundle(bundle_files(result, result.program.agents["triage"]))


# --- the bare engine -----------------------------------------------------------------------------------


async def ask(messages: list[dict[str, Any]]) -> str:
    request = HttpRequest(
        method="POST", url="http://127.0.0.1:1/v1/chat/completions", headers={}, origin="http://127.0.0.1:1",
        body=json.dumps({"model": "fake", "messages": messages}).encode(), timeout_ms=1000,
        max_response_bytes=1 << 20,
    )  # fmt: skip
    async with Instant(0).send(request) as answer:
        body = b"".join([chunk async for chunk in answer.chunks()])
    deltas = [
        choice["delta"]
        for line in body.decode().split("\n\n")
        if line.startswith("data: {")
        for choice in json.loads(line[6:])["choices"]
    ]
    return json.dumps(deltas[0])


async def act(name: str, arguments: str) -> str:
    request = HttpRequest(
        method="POST", url=f"http://127.0.0.1:2/{name}", headers={}, origin="http://127.0.0.1:2",
        body=arguments.encode(), timeout_ms=1000, max_response_bytes=1 << 20,
    )  # fmt: skip
    async with Instant(0).send(request) as answer:
        return b"".join([chunk async for chunk in answer.chunks()]).decode()


async def conversation(step: Callable[[str, Callable[[], Awaitable[str]]], Awaitable[str]]) -> str:
    """The same turns and calls, each through `step`."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": '{"ticket": "T-1"}'}]
    number = 0
    while True:
        number += 1

        async def turn() -> str:
            return await ask(messages)

        said = json.loads(await step(f"model-{number}", turn))
        messages.append(said)
        if not said.get("tool_calls"):
            return str(said["content"])
        call = said["tool_calls"][0]["function"]

        async def intent(call: dict[str, str] = call) -> str:
            return json.dumps(call)

        async def carry_out(call: dict[str, str] = call) -> str:
            return await act(call["name"], call["arguments"])

        await step(f"intent-{number}", intent)
        messages.append({"role": "tool", "content": await step(f"call-{number}", carry_out)})


# --- sequential runs -----------------------------------------------------------------------------------


async def sequential(
    kind: str, url: str, folder: Path, bundle: Bundle, runs: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of a run, each way, in turn."""
    from dbos import DBOS, SetWorkflowID

    from agentc_runtime.durable import engine
    from agentc_runtime.durable.driver import RunDriver
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.durable.starting import keep_run

    @DBOS.workflow(name=f"bare.{kind}")
    async def bare(run_id: str) -> str:
        async def step(name: str, work: Callable[[], Awaitable[str]]) -> str:
            return await DBOS.run_step_async({"name": name}, work)  # type: ignore[arg-type]

        return await conversation(step)

    ledger = open_ledger(url)
    found: dict[str, list[float]] = {"agentc": [], "bare": [], "langgraph": []}

    async def agentc() -> None:
        run_id = keep_run(
            ledger, bundle, ENVIRON, environment="local", input={"ticket": "T-1"}, session={}, handed=True
        )
        driver.made.add(run_id)
        await engine.start_here(run_id)

    async def by_hand() -> None:
        run_id = f"bare-{time.monotonic_ns()}"
        with SetWorkflowID(run_id):
            handle = await DBOS.start_workflow_async(bare, run_id)
        await handle.get_result()

    async with AsyncExitStack() as stack:
        driver = RunDriver(ledger, Doors(), ENVIRON)
        stack.enter_context(engine.running(url, driver, engine.new_worker()))
        graph = await langgraph(kind, url, folder, stack)
        ways = {"agentc": agentc, "bare": by_hand, "langgraph": graph}
        for way in ways.values():
            await way()
        for _ in range(repeats):
            for name, way in ways.items():
                begun = time.perf_counter()
                for _ in range(runs):
                    await way()
                found[name].append((time.perf_counter() - begun) * 1000 / runs)
    with ledger.transaction() as within:
        unfinished = within.execute("SELECT count(*) FROM runs WHERE status <> 'succeeded'").fetchone()
    ledger.close()
    if unfinished != (0,):
        raise CannotMeasureError(f"{unfinished} runs did not succeed")
    return found


async def langgraph(
    kind: str, url: str, folder: Path, stack: AsyncExitStack
) -> Callable[[], Awaitable[None]]:
    """A way to make the same turns and calls in LangGraph."""
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
        from langgraph.graph import END, START, StateGraph
    except ImportError as error:
        raise CannotMeasureError(
            f"LangGraph is not here: pip install 'agentc[bench]' ({error.name})"
        ) from error
    if kind == "sqlite":
        saver: Any = await stack.enter_async_context(
            AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db"))
        )
    else:
        saver = await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(url))
    await saver.setup()

    async def model(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [*state["messages"], json.loads(await ask(state["messages"]))]}

    async def tool(state: dict[str, Any]) -> dict[str, Any]:
        call = state["messages"][-1]["tool_calls"][0]["function"]
        answer = await act(call["name"], call["arguments"])
        return {"messages": [*state["messages"], {"role": "tool", "content": answer}]}

    graph: Any = StateGraph(dict)
    graph.add_node("model", model)
    graph.add_node("tool", tool)
    graph.add_edge(START, "model")
    graph.add_edge("tool", "model")
    graph.add_conditional_edges(
        "model", lambda state: "tool" if state["messages"][-1].get("tool_calls") else END
    )
    compiled = graph.compile(checkpointer=saver)

    async def run() -> None:
        config = {"configurable": {"thread_id": f"t-{time.monotonic_ns()}"}}
        begin = {"messages": [{"role": "user", "content": '{"ticket": "T-1"}'}]}
        done = await compiled.ainvoke(begin, config, durability="sync")
        assert "is done" in done["messages"][-1]["content"]

    return run


# --- workers -------------------------------------------------------------------------------------------


def worker(url: str, latency: float, concurrency: int) -> None:
    """Carry out runs until SIGTERM, with a model and a service of our own."""
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.durable.worker import work

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ledger = open_ledger(url)
    work(url, ledger, Doors(latency), ENVIRON, stop, concurrency=concurrency)
    ledger.close()


@contextmanager
def workers(url: str, number: int) -> Iterator[None]:
    command = [sys.executable, str(Path(__file__).resolve()), "--worker", url]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    running = [subprocess.Popen(command, env=environment) for _ in range(number)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def throughput(server: Any, bundle: Bundle, number: int, runs: int) -> float:
    """Runs a second of so many workers."""
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.durable.starting import keep_run

    url = postgres_server.emptied(server)
    ledger = open_ledger(url)

    def keep(count: int) -> None:
        for _ in range(count):
            keep_run(
                ledger,
                bundle,
                ENVIRON,
                environment="local",
                input={"ticket": "T-1"},
                session={},
                handed=False,
            )

    def over() -> int:
        with ledger.transaction() as within:
            row = within.execute("SELECT count(*) FROM runs WHERE status = 'succeeded'").fetchone()
        return int(str(row[0])) if row else 0

    with workers(url, number):
        keep(number)  # they are ready when these are done
        while over() < number:
            time.sleep(0.05)
        keep(runs)
        begun = time.perf_counter()
        while over() < number + runs:
            if time.perf_counter() - begun > 300:
                raise CannotMeasureError("the workers did not come to an end")
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
    ledger.close()
    return runs / seconds


# --- all of it -----------------------------------------------------------------------------------------


def measure(arguments: argparse.Namespace) -> None:
    figures: dict[str, float] = {}
    ratios: list[float] = []
    peers: list[float] = []
    kinds = ("sqlite", "postgres") if arguments.store == "both" else (arguments.store,)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT)))
        bundle = made(folder)
        server = stack.enter_context(postgres_server.server()) if "postgres" in kinds else None
        for kind in kinds:
            url = str(folder / "runs.db") if kind == "sqlite" else postgres_server.emptied(server)
            found = asyncio.run(sequential(kind, url, folder, bundle, arguments.runs, arguments.repeats))
            median = {name: statistics.median(times) for name, times in found.items()}
            for name, value in median.items():
                figures[f"{kind}_{name}_ms"] = round(value, 2)
            figures[f"{kind}_steps_per_second"] = round(STEPS * 1000 / median["agentc"], 1)
            figures[f"{kind}_step_ms"] = round(median["agentc"] / STEPS, 3)
            ratios.append(median["agentc"] / median["bare"])
            peers.append(median["agentc"] / median["langgraph"])
            figures[f"{kind}_ratio"] = round(ratios[-1], 3)
            figures[f"{kind}_langgraph_ratio"] = round(peers[-1], 3)
            print(f"{kind}: {figures[f'{kind}_agentc_ms']} ms a run, bare {figures[f'{kind}_bare_ms']}, "
                  f"langgraph {figures[f'{kind}_langgraph_ms']}")  # fmt: skip
        if server is not None and arguments.worker_runs:
            runs = arguments.worker_runs
            one = throughput(server, bundle, 1, runs)
            two = throughput(server, bundle, 2, runs)
            many = throughput(server, bundle, 1, runs * 10)
            figures |= {
                "one_worker_runs_per_second": round(one, 2),
                "two_workers_runs_per_second": round(two, 2),
                "ten_times_runs_per_second": round(many, 2),
                "two_workers_ratio": round(two / one, 2),
                "ten_times_ratio": round(many / one, 2),
            }
            print(f"workers: {one:.1f} runs/s, two {two:.1f}, ten times the runs {many:.1f}")
    finish("durable", "DBOS with the same steps", max(ratios), "1.2x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each way takes its turn")
    parser.add_argument("--runs", type=int, default=10, help="runs in a turn")
    parser.add_argument(
        "--worker-runs", type=int, default=100, help="runs for one worker; 0 leaves workers out"
    )
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--worker", metavar="URL", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    if asked.worker:
        worker(asked.worker, 0.05, 20)
    else:
        sys.exit(main(lambda: measure(asked)))
