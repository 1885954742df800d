"""Small bundles that call a service on loopback without a model, and a process that runs one again and again.

    python tests/support/deployed.py BUNDLE CONTROL STORE

runs it until standard input ends, four at a time, and then prints how many runs and refusals there were.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime import environments, expressions, labels, workflow
from agentc_runtime.calls import ApprovalRequest, Decision
from agentc_runtime.canonical import canonical
from agentc_runtime.events import Event, ToolRefused
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.database import DatabaseControl
from agentc_runtime.release.switching import ControlledSwitches
from agentc_runtime.run import RunResult, run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.store import Store
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle, read_bundle

ANY: dict[str, object] = {"type": "object", "additionalProperties": False}


def program(
    url: str,
    version: str,
    path: str = "tickets",
    calls: int = 1,
    agent: str = "desk",
    environment: str = "local",
) -> ir.Program:
    """An agent that calls `GET /PATH` some times, one after the other, and answers `done`."""
    internal = labels.Label(trust="trusted", sensitivity="internal")
    tool = ir.Tool(
        name="desk.read",
        model_name="desk_read",
        description="read a ticket",
        effect="read",
        arguments=ANY,
        output=internal,
        request=ir.RequestPlan(
            operation="read",
            method="GET",
            endpoint=environments.Endpoint(url=url),
            path=((ir.PathPart(literal=path),),),
            responses=(ir.ResponseCase(status="200", content_type="application/json"),),
        ),
        timeout_ms=10_000,
    )
    states: dict[str, workflow.State] = {
        f"read{number}": workflow.ToolState(
            tool=tool.name, arguments={}, next=f"read{number + 1}" if number + 1 < calls else "done"
        )
        for number in range(calls)
    }
    states["done"] = workflow.EndState(output=expressions.Const(value="done"))
    here = environments.Environment(private_hosts=(url.removeprefix("http://"),))
    return ir.Program(
        agent=ir.AgentInfo(name=agent, version=version, owner="support", description="reads tickets"),
        input=ir.Data(schema=ANY, label=internal),
        session=ir.Data(schema=ANY, label=internal),
        output={},
        start="read0",
        states=states,
        models={},
        tools={tool.name: tool},
        grants={tool.name: ir.Grant(tool=tool.name, permission_set="desk", schema=ANY)},
        environments={environment: here},
        default_environment=environment,
        limits=ir.Limits(),
    )


def files(what: ir.Program) -> dict[str, bytes]:
    """The files of its bundle."""
    where = {"agent": ir.Position(file="agents/desk.yaml", line=3, column=1)}
    made = {
        ir.PROGRAM: canonical(msgspec.to_builtins(what)),
        ir.SOURCE_MAP: canonical(msgspec.to_builtins(where)),
    }
    listed = tuple(
        ir.File(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        for path, data in sorted(made.items())
    )
    manifest = ir.Manifest(
        format=ir.FORMAT, agent=what.agent, compiler="agentc test", files=listed, sources=()
    )
    return {ir.MANIFEST: canonical(msgspec.to_builtins(manifest)), **made}


class Nobody:
    """Nobody can be asked."""

    async def ask(self, request: ApprovalRequest) -> Decision:
        return Decision(approved=False, by="nobody")


async def run(bundle: Bundle, transport: HttpTransport, journal: Any, emit: Any, **more: Any) -> RunResult:
    """One run of a bundle of `program`."""
    place = bundle.program.environments["local"]
    return await run_bundle(
        bundle,
        input={},
        session={},
        environment=None,
        transport=transport,
        model_transport=transport,
        journal=journal,
        approver=Nobody(),
        secrets=Secrets(place, {}),
        emit=emit,
        **more,
    )


async def _loop(bundle: Bundle, control: str, store: Store) -> dict[str, int]:
    counts: Counter[str] = Counter()
    opened = DatabaseControl.at(control) if "://" in control else FolderControl(Path(control))
    switches = ControlledSwitches(opened)
    transport = HttpTransport(bundle.program.environments["local"])
    over = asyncio.Event()

    def emit(event: Event) -> None:
        if isinstance(event, ToolRefused):
            counts[event.refusal.code] += 1

    async def again() -> None:
        while not over.is_set():
            result = await run(bundle, transport, store, emit, switches=switches)
            counts[result.status] += 1
            await asyncio.sleep(0.002)

    asyncio.get_running_loop().run_in_executor(None, lambda: (sys.stdin.read(), over.set()))
    print("running", flush=True)
    await asyncio.gather(*(again() for _ in range(4)))
    await transport.close()
    return counts


if __name__ == "__main__":
    with Store(sys.argv[3]) as kept:
        print(json.dumps(asyncio.run(_loop(read_bundle(Path(sys.argv[1])), sys.argv[2], kept))))
