"""One session of a suite's agent, in the real runtime, with a model that calls exactly what it is told to."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from suites import FunctionCall, Suite

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.calls import ApprovalRequest, Decision
from agentc_runtime.events import ApprovalAsked, Event, ToolCalled, ToolRefused, ToolReturned
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.run import run_bundle
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle, load_bundle
from agentc_runtime.wire import HttpRequest
from service import Service, document

SPECS = Path(__file__).parent / "specs"


@dataclass(frozen=True)
class Played:
    """What became of one call: refused by a rule, asked about, and whether the service was asked."""

    call: FunctionCall
    refusal: str | None
    asked: bool
    reasons: tuple[str, ...]

    @property
    def arrived(self) -> bool:
        """The request was sent: nothing refused it before."""
        return self.refusal is None or self.refusal.startswith("AR4")


def build(suite: Suite, service: Service, folder: Path) -> Bundle:
    """The bundle of the suite's agent, compiled from its specs and the document of its functions."""
    root = folder / suite.name
    shutil.copytree(SPECS / suite.name, root)
    (root / "openapi.json").write_text(json.dumps(document(suite)), encoding="utf-8")
    project = root / "agentc.yaml"
    project.write_text(
        project.read_text(encoding="utf-8").replace("8971", str(service.port)), encoding="utf-8"
    )
    result = check_project(root)
    if result.diagnostics:
        found = result.diagnostics[0]
        raise ValueError(f"{found.span.file}:{found.span.line}: {found.code}: {found.message}")
    return load_bundle(bundle_files(result, result.program.agents[suite.name]))


class Model:
    """A transport that answers each model request with the next call, and with text once there is none."""

    def __init__(self, names: Mapping[str, str], calls: Sequence[FunctionCall]) -> None:
        self._turns: Iterator[FunctionCall] = iter(calls)
        self._names = names
        self._number = 0

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[_Answer]:
        """One turn of OpenAI's chat completions, as a stream of events."""
        self._number += 1
        call = next(self._turns, None)
        delta: dict[str, object] = {"role": "assistant", "content": "done"}
        if call is not None:
            function = {"name": self._names[call.name], "arguments": json.dumps(dict(call.arguments))}
            delta = {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"index": 0, "id": f"c{self._number}", "type": "function", "function": function}
                ],
            }
        finish = "stop" if call is None else "tool_calls"
        chunks = (
            {"id": "r", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        )
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        yield _Answer("".join([*lines, "data: [DONE]\n\n"]).encode())

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class _Answer:
    body: bytes
    status: int = 200

    @property
    def headers(self) -> Mapping[str, str]:
        return {"content-type": "text/event-stream"}

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.body


class Person:
    """Agrees to the first `agrees` calls of a session, and to none after that."""

    def __init__(self, agrees: int) -> None:
        self.agrees = agrees
        self.seen = 0

    async def ask(self, request: ApprovalRequest) -> Decision:
        """The answer."""
        return Decision(approved=self.seen <= self.agrees, by="user")


async def play(
    bundle: Bundle,
    service: Service,
    transport: HttpTransport,
    request: str,
    calls: Sequence[FunctionCall],
    *,
    agrees: int,
) -> list[Played]:
    """Let the agent make `calls` for the user's `request`; a person agrees to the first `agrees` of them."""
    program = bundle.program
    person = Person(agrees)
    played: list[Played] = []
    asked: list[tuple[str, ...]] = []

    def heard(event: Event) -> None:
        if isinstance(event, ToolCalled):
            person.seen += 1
            asked.clear()
        elif isinstance(event, ApprovalAsked):
            asked.append(event.reasons)
        elif isinstance(event, ToolReturned | ToolRefused):
            refusal = event.refusal.code if isinstance(event, ToolRefused) else None
            reasons = asked[0] if asked else ()
            played.append(Played(calls[len(played)], refusal, bool(asked), reasons))

    environment = program.environments[program.default_environment]
    names = {tool.name.partition(".")[2]: tool.model_name for tool in program.tools.values()}
    result = await run_bundle(
        bundle,
        input={"request": request},
        session={},
        environment=None,
        transport=transport,
        model_transport=Model({**{call.name: call.name for call in calls}, **names}, calls),
        journal=MemoryJournal(),
        approver=person,
        secrets=Secrets(environment, {}),
        emit=heard,
    )
    if result.status != "succeeded" or len(played) != len(calls):
        raise RuntimeError(f"{program.agent.name}: the session broke off: {result.refusal}")
    return played
