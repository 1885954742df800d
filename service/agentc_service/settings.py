"""What a service is made of, read and checked: paths are absolute, bundles are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentc_runtime.verify import Bundle

from .auth.jwt import Trust


@dataclass(frozen=True)
class Served:
    """An agent of the service, and the environment that it runs in."""

    bundle: Bundle
    environment: str

    @property
    def name(self) -> str:
        """The agent's name, by which it is called."""
        return self.bundle.program.agent.name


@dataclass(frozen=True)
class Provider:
    """An identity provider: whom to believe, and the URL of its keys."""

    trust: Trust
    jwks: str


@dataclass(frozen=True)
class Limits:
    """What the service takes before it says no. Times are seconds."""

    body_bytes: int = 1_048_576
    requests_per_minute: int = 600
    runs: int = 100
    waiting: int = 1000
    shutdown: float = 30.0


@dataclass(frozen=True)
class Settings:
    """A service. `store` is a path or a PostgreSQL URL; `agents` are by their names."""

    agents: Mapping[str, Served]
    store: str
    host: str = "127.0.0.1"
    port: int = 8080
    api_keys: Path | None = None
    provider: Provider | None = None
    limits: Limits = field(default_factory=Limits)
