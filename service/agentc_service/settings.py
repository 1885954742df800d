"""What a service is made of, read and checked: paths are absolute, bundles are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentc_runtime.events import Placement
from agentc_runtime.release.following import Follower
from agentc_runtime.verify import Bundle

from .auth.jwt import Trust


@dataclass(frozen=True)
class Served:
    """An agent of the service, and the environment that it runs in.

    With a `follower` a channel chooses the bundle, anew every `poll` seconds; `given` is what it began with.
    """

    given: Bundle
    environment: str
    follower: Follower | None = None
    poll: float = 5.0

    @property
    def name(self) -> str:
        """The agent's name, by which it is called."""
        return self.given.program.agent.name

    @property
    def bundle(self) -> Bundle:
        """The bundle that runs unless another one was chosen for a session."""
        return self.given if self.follower is None else self.follower.stable()

    def choose(self, sticky: str) -> tuple[Bundle, Placement | None]:
        """The bundle for a session, and why it is that one if a channel chose it."""
        if self.follower is None:
            return self.given, None
        release = self.follower.choose(sticky)
        return release.bundle, release.placement


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
class Console:
    """The console. `origin` is how browsers reach it, `None` for this machine alone."""

    origin: str | None = None


@dataclass(frozen=True)
class Settings:
    """A service. `store` is a path or a PostgreSQL URL; `agents` are by their names.

    `mcp`: they are tools of the Model Context Protocol as well.
    """

    agents: Mapping[str, Served]
    store: str
    host: str = "127.0.0.1"
    port: int = 8080
    api_keys: Path | None = None
    provider: Provider | None = None
    limits: Limits = field(default_factory=Limits)
    console: Console = Console()
    mcp: bool = False
