"""Stores in both databases, with nothing in them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentc.emit import emit
from agentc_runtime.bundle import (
    AgentInfo,
    Data,
    Limits,
    PathPart,
    Program,
    RequestPlan,
    ResponseCase,
    Tool,
)
from agentc_runtime.calls import ApprovalRequest, Claim
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.runs import create_run
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.expressions import Const
from agentc_runtime.labels import Label
from agentc_runtime.ledger import Ledger
from agentc_runtime.verify import Bundle, load_bundle
from agentc_runtime.workflow import EndState

ROOT = Path(__file__).resolve().parents[3]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Callable[[], str]]:
    support = load(ROOT / "tests/support/postgres.py")
    with support.server() as server:
        yield lambda: support.emptied(server)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.db")
    make: Callable[[], str] = request.getfixturevalue("_postgres")
    return make()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An empty store."""
    opened = open_ledger(url)
    yield opened
    opened.close()


@pytest.fixture
def running(ledger: Ledger) -> str:
    """A run that a process has taken up."""
    create_run(ledger, bundle(), "run-1", environment="local", input={}, session={}, handed=True)
    return "run-1"


def bundle() -> Bundle:
    """A bundle with one tool, as it is read."""
    agent = AgentInfo(name="triage", version="1.0.0", owner="support", description="sorts tickets")
    nothing = Data(schema={}, label=Label())
    answer = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    refund = Tool(
        name="desk.refund",
        model_name="desk__refund",
        description="refunds",
        effect="send",
        arguments={"type": "object"},
        output=Label(),
        request=RequestPlan(
            operation="createRefund",
            method="POST",
            endpoint=Endpoint(url="http://127.0.0.1:1"),
            path=((PathPart(literal="refunds"),),),
            responses=(ResponseCase(status="200", content_type="application/json", schema=answer),),
        ),
    )
    program = Program(
        agent=agent,
        input=nothing,
        session=nothing,
        output={"properties": {"outcome": {"type": "string"}}},
        start="end",
        states={"end": EndState(output=Const(value="done"))},
        models={},
        tools={"desk.refund": refund},
        grants={},
        environments={"local": Environment()},
        default_environment="local",
        limits=Limits(),
    )
    return load_bundle(emit(program, {}, [], {}))


@pytest.fixture
def a_request() -> Callable[..., ApprovalRequest]:
    """A maker of questions about a refund."""

    def make(**changes: Any) -> ApprovalRequest:
        said: dict[str, Any] = {
            "run_id": "run-1",
            "call_id": "call-1",
            "state": "main",
            "tool": "desk.refund",
            "arguments": {"amount": 20, "lines": ["a", "b"]},
            "preview": "POST http://desk/refunds",
            "reasons": ("`desk.refund` needs an approval (triage.yaml:3)",),
            "by": ("leads",),
            "expires_ms": 60_000,
            "digest": "cd" * 32,
        }
        return ApprovalRequest(**{**said, **changes})

    return make


@pytest.fixture
def claim() -> Callable[..., Claim]:
    """A maker of intents to refund."""

    def make(call_id: str = "call-1", **changes: Any) -> Claim:
        said: dict[str, Any] = {
            "run_id": "run-1",
            "call_id": call_id,
            "agent": "triage",
            "tool": "desk.refund",
            "effect": "send",
            "arguments": {"amount": 20},
            "request_digest": "cd" * 32,
            "idempotency_key": None,
            "per_run": None,
            "per_day": None,
        }
        return Claim(**{**said, **changes})

    return make
