"""Kind `Project`: the root of a project, `agentc.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from .common import Closed, Duration, Money, Name, NonEmpty, PositiveInt, RuleCode, Sensitivity, VariableName

HostPort: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\[\]:-]+:[0-9]{1,5}$")]
#: Segments that no server reads as anything but themselves.
VaultPath: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")
]


class PricesSpec(Closed):
    """US dollars for one million tokens."""

    input: Money
    """Price of input tokens."""
    output: Money
    """Price of output tokens."""
    cached_input: Money | None = None
    """Price of input tokens that the provider had cached."""
    cache_write: Money | None = None
    """Price of input tokens that the provider puts into its cache."""


class ModelSpec(Closed):
    """An approved model."""

    provider: Literal["openai", "anthropic", "gemini"]
    """The wire format: `openai` is OpenAI's chat completions and everything compatible with it."""
    model: NonEmpty
    """The provider's name of the model."""
    base_url: NonEmpty | None = None
    """The API's base URL, or `${env.NAME}`. Left out: the provider's own."""
    secret: Name | None = None
    """The secret that holds the API key."""
    prices: PricesSpec | None = None
    """What tokens cost. Without prices a run has no cost."""
    max_sensitivity: Sensitivity = "internal"
    """The most sensitive data that this model may be shown."""
    context_tokens: PositiveInt | None = None
    """How many tokens the model reads at most. With it AC811 knows what is large for this model."""
    max_output_tokens: PositiveInt = 4096
    """The most tokens of one answer."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Sampling temperature. Left out: the provider's default."""
    timeout: Duration = "2m"
    """How long one model turn may take."""
    strict_tools: bool = False
    """Hold the model to the schemas of its tools while it writes: the strict mode of `openai`. A tool for
    which the mode has no form is offered as it is."""
    response_cache: Duration | None = None
    """How long answers to turns without tools are kept, and given again for exactly the same request."""
    prompt_cache: bool = False
    """Let the provider keep what a turn begins with, for the next ones: `anthropic`. Others do it anyway."""


class VaultFieldSpec(Closed):
    """A field of a secret in a key-value engine of the environment's Vault."""

    mount: VaultPath = "secret"
    """Where the engine is mounted."""
    path: VaultPath
    """The secret's path in the engine."""
    field: NonEmpty
    """The field that holds the value."""
    kv_version: Literal[1, 2] = 2
    """The engine's version."""


class SecretSpec(Closed):
    """Where a secret's value is found at run time. Values never stand in a spec."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds it."""
    file: NonEmpty | None = None
    """The file that holds it."""
    vault: VaultFieldSpec | None = None
    """The field of a secret in Vault that holds it."""


class VaultSpec(Closed):
    """A server that speaks Vault's HTTP API."""

    address: NonEmpty
    """Its base URL, such as `https://vault.example.com:8200`."""
    token: Name
    """The secret of this environment that is shown to it: found in a variable or a file."""
    namespace: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?$")] | None = (
        None
    )
    """The namespace of all secrets."""
    ttl: Duration = "5m"
    """How long values are used before they are read again."""


class EnvironmentSpec(Closed):
    """One place to run."""

    variables: dict[VariableName, str] = {}
    """Values of `${env.NAME}`: the base URLs of servers."""
    secrets: dict[Name, SecretSpec] = {}
    """Where each secret is found."""
    vault: VaultSpec | None = None
    """Where secrets with `vault` are read."""
    private_hosts: tuple[HostPort, ...] = ()
    """The `host:port` pairs that may resolve to private or loopback addresses."""
    certificate_authorities: dict[HostPort, NonEmpty] = {}
    """For a `host:port`, the file of the project with the authorities (PEM) that vouch for it in place of
    the public ones."""


class ProjectSpec(Closed):
    """The models, environments and rule levels of a project."""

    models: dict[Name, ModelSpec] = {}
    """The approved models, by alias."""
    environments: dict[Name, EnvironmentSpec] = {}
    """The places to run."""
    default_environment: Name | None = None
    """The environment of `agentc run` without `--env`. Left out: the only one there is."""
    approvers: dict[Name, tuple[NonEmpty, ...]] = {}
    """The groups that `approval.by` names, with their members."""
    rules: dict[RuleCode, Literal["error", "warning", "ignore"]] = {}
    """Levels of the compiler's rules in this project."""
