"""Kind `Service`: what `agentc serve` serves, to whom, and how much of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from .common import Closed, Duration, Name, NonEmpty, PositiveInt

RoleName: TypeAlias = Literal["caller", "approver", "operator", "auditor"]


class FollowedChannelSpec(Closed):
    """A channel, which says which bundle of an agent runs (`agentc deploy`)."""

    agent: Name
    """The agent."""
    origin: NonEmpty
    """Where channel and bundles are: a folder relative to this file, or an origin's URL."""
    name: Name = "production"
    """The channel's name."""
    trust: NonEmpty
    """The trust policy, relative to this file: who may sign, and what has to be attested."""
    poll: Duration = "5s"
    """How long after one look at the channel the next one follows."""


class ServedAgentSpec(Closed):
    """One agent of the service: either `bundle` or `channel` says what runs."""

    bundle: NonEmpty | None = None
    """The folder of its bundle, relative to this file."""
    channel: FollowedChannelSpec | None = None
    """The channel that chooses its bundle, also while the service runs."""
    environment: Name | None = None
    """The environment to run in. Left out: the bundle's default."""


class ApiKeysSpec(Closed):
    """Keys of programs."""

    file: NonEmpty
    """The file that `agentc keys` writes, relative to this file. It holds digests of keys."""


class OidcSpec(Closed):
    """An OpenID Connect provider whose tokens (JWTs) people and programs show."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
    """Exactly the `iss` of its tokens."""
    audience: NonEmpty
    """The `aud` that says that a token is for this service."""
    jwks: Annotated[
        str, StringConstraints(pattern=r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[^\s]+$")
    ]
    """The URL of its keys: `jwks_uri` of its discovery document. Without TLS on this machine alone."""
    tenant_claim: NonEmpty = "tenant"
    """The claim that names the tenant."""
    roles_claim: NonEmpty = "roles"
    """The claim with the provider's words for roles."""
    roles: dict[NonEmpty, RoleName]
    """What the provider's words mean here. Other words give nothing."""
    groups_claim: NonEmpty = "groups"
    """The claim with the approver groups that the person is in."""


class AuthSpec(Closed):
    """Who may call. At least one of the two."""

    api_keys: ApiKeysSpec | None = None
    """Keys of programs."""
    oidc: OidcSpec | None = None
    """Tokens of an identity provider."""


class ConsoleSpec(Closed):
    """The console: the service for people, in a browser, under `/console`."""

    origin: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^(https://[a-z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)$"
            ),
        ]
        | None
    ) = None
    """How browsers reach the service: `https://` and its name. Left out: it answers on this machine alone."""


class ServiceLimitsSpec(Closed):
    """What the service takes before it says no."""

    body_bytes: PositiveInt = 1_048_576
    """The largest request."""
    requests_per_minute: PositiveInt = 600
    """Requests of one caller in a minute."""
    runs: PositiveInt = 100
    """Runs that are worked on at the same time; further ones wait their turn."""
    waiting: PositiveInt = 1000
    """Runs that wait for their turn; one more is answered with 503."""
    shutdown: Duration = "30s"
    """How long runs may go on after the service was told to end."""


class ServiceSpec(Closed):
    """A service that runs agents over HTTP."""

    agents: Annotated[tuple[ServedAgentSpec, ...], Field(min_length=1)]
    """The agents."""
    store: NonEmpty = ".agentc/service.db"
    """Where runs, approvals and the audit log are kept: a file, relative to this one, or a PostgreSQL URL."""
    listen: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\[\]:-]+:[0-9]{1,5}$")] = "127.0.0.1:8080"
    """The address and port to listen on."""
    auth: AuthSpec
    """Who may call."""
    limits: ServiceLimitsSpec = ServiceLimitsSpec()
    """What the service takes before it says no."""
    console: ConsoleSpec = ConsoleSpec()
    """The service for people, in a browser."""
    mcp: bool = False
    """Whether the agents are tools of the Model Context Protocol as well, at `/mcp`."""
