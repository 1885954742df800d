"""A scripted provider, a client that talks to it, and one conversation that all formats must carry."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentc_runtime.bundle import Model, Provider
from agentc_runtime.environments import Endpoint, Environment, Secret
from agentc_runtime.models.client import ModelClient
from agentc_runtime.models.types import ModelRequest, ToolDefinition, UserMessage
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

SUPPORT = Path(__file__).parents[2] / "support"
KEY = "sk-test-0123456789"


@pytest.fixture(scope="session")
def fake_provider() -> ModuleType:
    """The module that is also run as a script."""
    spec = importlib.util.spec_from_file_location("fake_provider", SUPPORT / "fake_provider.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve(fake_provider: ModuleType) -> Iterator[Callable[[list[dict[str, Any]]], Any]]:
    """Start a provider with a script; it stops with the test."""
    with ExitStack() as stack:
        yield lambda turns: stack.enter_context(fake_provider.FakeProvider(turns))


@pytest.fixture
def model() -> Callable[..., Model]:
    """A model of a provider at a URL."""

    def build(provider: Provider, url: str, **fields: Any) -> Model:
        base = f"{url}/v1" if provider == "openai" else url
        return Model(
            alias="fast",
            provider=provider,
            model="model-1",
            endpoint=Endpoint(url=base),
            secret="key",
            **{"max_output_tokens": 500, **fields},
        )

    return build


@pytest.fixture
def request_for(model: Callable[..., Model]) -> Callable[..., ModelRequest]:
    """A first turn with one tool."""

    def build(provider: Provider, url: str, **fields: Any) -> ModelRequest:
        schema = {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
            "additionalProperties": False,
        }
        tool = ToolDefinition(name="desk_search", description="Searches.", parameters=schema)
        given = {
            "instructions": "You triage.",
            "messages": (UserMessage(text="What is open?"),),
            "tools": (tool,),
            "model": model(provider, url),
        }
        return ModelRequest(**{**given, **fields})

    return build


@pytest.fixture
def secrets() -> Secrets:
    """One secret, `key`."""
    return Secrets(Environment(secrets={"key": Secret(env="KEY")}), {"KEY": KEY})


@pytest.fixture
async def connect(secrets: Secrets) -> AsyncIterator[Callable[..., ModelClient]]:
    """A client for a URL over the real transport. `waits` collects what it would have slept."""
    transports: list[HttpTransport] = []

    def build(url: str, waits: list[float] | None = None) -> ModelClient:
        host = url.removeprefix("http://")
        environment = Environment(secrets={"key": Secret(env="KEY")}, private_hosts=(host,))
        transports.append(HttpTransport(environment))

        async def sleep(seconds: float) -> None:
            (waits if waits is not None else []).append(seconds)

        return ModelClient(environment, secrets, transports[-1], sleep=sleep)

    yield build
    for transport in transports:
        await transport.close()
