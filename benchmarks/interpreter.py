"""What a whole run costs: two model turns and one tool call, against loops by hand and against frameworks.

    python benchmarks/interpreter.py [--repeats N] [--runs N] [--at-once N]

Model and service are one loopback server in another process. All make the same three requests:

- `agentc`: a run of a compiled agent, with its permissions, its checks and labels, keeping nothing;
- `same`: a loop by hand on agentc's transport; `httpx`: a loop by hand on httpx;
- `pydantic_ai`, `openai_agents`: an agent with one tool; `langgraph`: a graph of a model and a tool, whose
  model is asked by OpenAI's client.

`ratio` is agentc against the loop on the same transport, one run after the other. Then so many at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from support.figures import ROOT, CannotMeasureError, finish, main

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
from agentc_runtime.wire import HttpRequest

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


def agentc(bundle: Bundle, transport: HttpTransport, secrets: Secrets) -> Way:
    async def run() -> None:
        result = await run_bundle(
            bundle, input={}, session={}, environment="local", transport=transport,
            model_transport=transport, journal=MemoryJournal(), approver=Nobody(), secrets=secrets,
            emit=lambda event: None,
        )  # fmt: skip
        assert result.output == "Done.", result

    return run


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


def on_same(url: str, transport: HttpTransport) -> Way:
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


def frameworks(url: str, client: httpx.AsyncClient) -> dict[str, Way]:
    """The peers, each as its documentation shows it, on one client each for all runs."""
    os.environ.setdefault("OPENAI_API_KEY", KEY)
    try:
        import agents
        import openai
        import pydantic_ai
        from langgraph.graph import END, START, StateGraph
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider
    except ImportError as error:
        raise CannotMeasureError(f"a peer is not here: pip install 'agentc[bench]' ({error.name})") from error

    async def get_ticket(ticket_id: str) -> str:
        """getTicket"""
        return (await client.get(f"{url}/tickets/{ticket_id}")).text

    get_ticket.__name__ = "desk__get_ticket"
    asked = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)

    model = OpenAIChatModel("fake", provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY))
    by_pydantic = pydantic_ai.Agent(model, instructions="Do your work.", tools=[get_ticket])

    async def pydantic_run() -> None:
        assert (await by_pydantic.run("{}")).output == "Done."

    agents.set_tracing_disabled(disabled=True)
    by_openai = agents.Agent(
        name="triage",
        instructions="Do your work.",
        tools=[agents.function_tool(get_ticket, name_override="desk__get_ticket")],
        model=agents.OpenAIChatCompletionsModel(model="fake", openai_client=asked),
    )

    async def openai_run() -> None:
        assert (await agents.Runner.run(by_openai, "{}")).final_output == "Done."

    async def think(state: dict[str, Any]) -> dict[str, Any]:
        said: Any = await asked.chat.completions.create(
            model="fake",
            messages=state["messages"],
            tools=[TOOL],  # type: ignore[list-item]
        )
        message = said.choices[0].message.model_dump(exclude_none=True)
        return {"messages": [*state["messages"], message]}

    async def act(state: dict[str, Any]) -> dict[str, Any]:
        call = state["messages"][-1]["tool_calls"][0]
        answer = await get_ticket(**json.loads(call["function"]["arguments"]))
        told = {"role": "tool", "tool_call_id": call["id"], "content": answer}
        return {"messages": [*state["messages"], told]}

    graph: Any = StateGraph(dict)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_edge(START, "think")
    graph.add_edge("act", "think")
    graph.add_conditional_edges("think", lambda s: "act" if s["messages"][-1].get("tool_calls") else END)
    compiled = graph.compile()

    async def langgraph_run() -> None:
        done = await compiled.ainvoke({"messages": [{"role": "user", "content": "{}"}]})
        assert done["messages"][-1]["content"] == "Done."

    return {"pydantic_ai": pydantic_run, "openai_agents": openai_run, "langgraph": langgraph_run}


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


async def measured(url: str, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    bundle = made(folder / "project", url)
    environment = bundle.program.environments["local"]
    secrets = Secrets(environment, ENVIRON)
    async with AsyncExitStack() as stack:
        transport = HttpTransport(environment, secrets)
        stack.push_async_callback(transport.close)
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
        for _ in range(arguments.repeats):
            for name, way in ways.items():
                many[name].append(await together(way, arguments.runs * 4, arguments.at_once))
    return {f"{name}_ms": statistics.median(taken) for name, taken in single.items()} | {
        f"{name}_runs_per_second": statistics.median(taken) for name, taken in many.items()
    }


def measure(arguments: argparse.Namespace) -> None:
    with server() as url, tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT) as folder:
        figures = asyncio.run(measured(url, Path(folder), arguments))
    for name in sorted({key.removesuffix("_ms") for key in figures if key.endswith("_ms")}):
        print(f"{name:15} {figures[f'{name}_ms']:7.2f} ms  {figures[f'{name}_runs_per_second']:8.1f} runs/s")
    peers = ("pydantic_ai", "openai_agents", "langgraph")
    figures["frameworks_ratio"] = figures["agentc_ms"] / min(figures[f"{name}_ms"] for name in peers)
    figures["concurrent_httpx_ratio"] = figures["agentc_runs_per_second"] / figures["httpx_runs_per_second"]
    figures["concurrent_same_ratio"] = figures["same_runs_per_second"] / figures["agentc_runs_per_second"]
    ratio = figures["agentc_ms"] / figures["same_ms"]
    finish("interpreter", "a loop by hand on the same transport", ratio, "1.5x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each way takes its turn")
    parser.add_argument("--runs", type=int, default=40, help="runs in a turn")
    parser.add_argument("--at-once", type=int, default=50, help="runs at once")
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    sys.exit(main(lambda: measure(asked)))
