"""What the broker adds to a tool call, and what a decision costs.

    python benchmarks/broker.py [--repeats N]

(a) One allowed call through `Broker`, without a store, against the same request on the same transport to
the same loopback server in another process, its answer read and decoded; (b) the same call with the SQLite
store, synced before and after; (c) the decision alone with 50 grants. Two calls are measured: `send`
(arguments limited by the grant, one bound by the spec, a quota, an idempotency key, a body) and `read`
(a larger answer that its schema must fit). `ratio` is that of one call of each kind, without a store.
`sync_ms` is what one synced write of 4 KiB takes on the same disk.
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
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.figures import ROOT, CannotMeasureError, finish, main, medians, milliseconds
from support.world import ALLOWED, GRANTS, TOO_MUCH, call, program, source_map

from agentc_runtime.broker import Broker
from agentc_runtime.bundle import Program
from agentc_runtime.calls import ApprovalRequest, Decision, Journal, Returned
from agentc_runtime.events import Event
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.policy import Allowed, Policy
from agentc_runtime.refusals import Refusal
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.store import Store
from agentc_runtime.transport import HttpTransport
from agentc_runtime.wire import HttpRequest

WARM_UP = 20
CALLS = {
    "send": ("helpdesk_refund_01", ALLOWED),
    "read": ("helpdesk_get_ticket", '{"ticket_id": "T-1001", "limit": 20}'),
}


class Nobody:
    """An approver who is never asked here."""

    async def ask(self, request: ApprovalRequest) -> Decision:
        """Say no."""
        return Decision(approved=False, by="nobody")


@contextmanager
def server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    command = [sys.executable, str(Path(__file__).parent / "support" / "server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line.strip().isdigit():
            raise CannotMeasureError("the loopback server did not start")
        yield int(line)
        running.stdin.close()


async def calls(repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each way to make each call, interleaved."""
    with server() as port, tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT) as folder:
        made = program(port)
        environment = made.environments["local"]
        secrets = Secrets(environment, {"HELPDESK_TOKEN": "b3nchm4rk-t0ken"})
        transport = HttpTransport(environment)
        with Store(Path(folder) / "runs.db") as store:
            try:
                return await _calls(made, secrets, transport, store, repeats)
            finally:
                await transport.close()


async def _calls(
    made: Program, secrets: Secrets, transport: HttpTransport, store: Store, repeats: int
) -> dict[str, list[float]]:
    policy = Policy(made, source_map(made))
    plain: dict[str, Callable[[], Awaitable[object]]] = {}
    stored: dict[str, Callable[[], Awaitable[object]]] = {}
    for label, (name, arguments) in CALLS.items():
        allowed = policy.decide(call(name, arguments, "call-0"))
        if not isinstance(allowed, Allowed):
            raise CannotMeasureError(f"the call should be allowed: {allowed.message}")
        key = "5f1c0a52-6d0e-5b43-9d0b-0f3f6a8c9e17" if allowed.tool.idempotency_header else None
        request = build_request(allowed.tool, allowed.arguments, made.environments["local"], secrets, key)
        plain[f"bare_{label}"] = bare(transport, request)
        plain[f"memory_{label}"] = brokered(made, secrets, transport, MemoryJournal(), label)
        stored[f"store_{label}"] = brokered(made, secrets, transport, store, label)
    # apart from each other: the call after a synced one finds the processor's caches cold
    return {**await in_turn(plain, repeats), **await in_turn(stored, repeats)}


async def in_turn(
    actions: Mapping[str, Callable[[], Awaitable[object]]], repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of each action, in turn; the first rounds connect and warm up, and do not count."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for repeat in range(WARM_UP + repeats):
        for name, action in actions.items():
            started = time.perf_counter_ns()
            await action()
            if repeat >= WARM_UP:
                taken[name].append((time.perf_counter_ns() - started) / 1e6)
    return taken


def bare(transport: HttpTransport, request: HttpRequest) -> Callable[[], Awaitable[object]]:
    """The request sent, and its answer read and decoded, with nothing around."""

    async def send() -> object:
        async with transport.send(request) as answer:
            body = b"".join([piece async for piece in answer.chunks()])
        return json.loads(body)

    return send


def brokered(
    made: Program, secrets: Secrets, transport: HttpTransport, journal: Journal, label: str
) -> Callable[[], Awaitable[object]]:
    """The same through a broker."""
    broker = Broker(made, source_map(made), "local", transport, journal, secrets, Nobody())
    name, arguments = CALLS[label]
    made_calls = 0

    async def send() -> Returned:
        nonlocal made_calls
        made_calls += 1
        events: list[Event] = []
        outcome = await broker.call(call(name, arguments, f"{label}-{made_calls}"), events.append)
        if isinstance(outcome, Refusal):
            raise CannotMeasureError(f"the call was refused: {outcome.message}")
        return outcome

    return send


def decisions(repeats: int) -> dict[str, float]:
    """Microseconds of one decision, the median of rounds over all the grants."""
    made = program(1)
    policy = Policy(made, source_map(made))
    names = [tool.model_name for tool in made.tools.values() if tool.effect == "send"]
    asked = {
        "allow": [call(name, ALLOWED, "c") for name in names],
        "deny": [call(name, TOO_MUCH, "c") for name in names],
        "deny_unknown": [call(f"{name}_all", ALLOWED, "c") for name in names],
    }
    for kind, some in asked.items():
        if any(isinstance(policy.decide(one), Allowed) != (kind == "allow") for one in some):
            raise CannotMeasureError(f"a decision of the kind `{kind}` came out the other way")
    taken: dict[str, list[float]] = {kind: [] for kind in asked}
    for _ in range(max(1, repeats)):
        for kind, some in asked.items():
            started = time.perf_counter_ns()
            for one in some:
                policy.decide(one)
            taken[kind].append((time.perf_counter_ns() - started) / 1e3 / len(some))
    return medians(taken)


def synced_write(repeats: int) -> float:
    """Milliseconds of one write of 4 KiB that is synced, on the same disk."""
    with tempfile.TemporaryFile(prefix=".bench-", dir=ROOT, buffering=0) as file:

        def write() -> None:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())

        return statistics.median(milliseconds(write) for _ in range(max(5, repeats)))


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=600, help="calls of each kind")
    repeats = max(1, parser.parse_args().repeats)
    took = medians(asyncio.run(calls(repeats)))
    decided = decisions(repeats)
    sync = synced_write(repeats // 5)
    ratios = {label: took[f"memory_{label}"] / took[f"bare_{label}"] for label in CALLS}
    both = sum(took[f"memory_{label}"] for label in CALLS) / sum(took[f"bare_{label}"] for label in CALLS)
    for label in CALLS:
        bare_ms = took[f"bare_{label}"]
        print(f"{label}: bare {bare_ms:.3f} ms")
        for kept in ("memory", "store"):
            ms = took[f"{kept}_{label}"]
            print(f"{label}: broker, {kept:<6} {ms:.3f} ms  {ms / bare_ms:.2f}x  +{ms - bare_ms:.3f} ms")
    print(f"one synced write of 4 KiB: {sync:.3f} ms; the store makes two for each call")
    for kind, micros in decided.items():
        print(f"decision, {GRANTS} grants, {kind}: {micros:.1f} µs")
    finish(
        "broker",
        "a bare call of the same request on the same transport",
        both,
        "ratio <= 1.3, decision_allow_us <= 20, decision_deny_us <= 20",
        {
            **{f"ratio_{label}": ratio for label, ratio in ratios.items()},
            **{f"store_ratio_{label}": took[f"store_{label}"] / took[f"bare_{label}"] for label in CALLS},
            **{f"{name}_ms": value for name, value in took.items()},
            "sync_ms": sync,
            **{f"decision_{kind}_us": micros for kind, micros in decided.items()},
            "grants": GRANTS,
            "repeats": repeats,
        },
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
