"""Kind `Toolset`: tools and where they come from."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag
from pydantic import WithJsonSchema as EditorSchema

from .behaviour import CacheSpec, PaginationSpec
from .common import (
    Closed,
    Duration,
    Effect,
    JsonSchema,
    LocalToolName,
    Name,
    NonEmpty,
    PositiveInt,
    RetrySpec,
    Sensitivity,
    Trust,
)


class OpenApiSpec(Closed):
    """An OpenAPI document, pinned by its digest."""

    file: NonEmpty
    """The document's path, relative to the project's root."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The sha256 of the document's bytes. `agentc import openapi` writes it."""
    overlays: tuple[NonEmpty, ...] = ()
    """Corrections to the document, as paths of OpenAPI Overlay 1.0 files, applied in this order."""


class ClientCredentialsSpec(Closed):
    """OAuth2 client credentials: tokens are fetched, with the scopes that the granted operations need."""

    token_url: NonEmpty | None = None
    """Where tokens are fetched: a URL, or `${env.NAME}`. Left out: the `tokenUrl` of the document's flow.
    `agentc import discovery` writes it for OpenID Connect."""
    client_id: Name | None = None
    """The secret that holds the client's id, if it does not stand in one secret with the client's secret."""
    client_secret: Name | None = None
    """The secret that holds the client's secret, beside `client_id`."""
    method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    """How the client shows who it is: in the `Authorization` header, or in the body."""
    extra_scopes: tuple[Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]{1,200}$")], ...] = ()
    """Scopes that the service adds to each token on its own. A token with any other scope is refused."""


class AuthSpec(Closed):
    """A credential that the toolset has, for one security scheme of its document."""

    scheme: NonEmpty
    """The name of a security scheme of the document; when it describes none, `bearer` or `basic`."""
    secret: Name | None = None
    """The secret that holds the credential: a token, a key, `user:password` for basic, or
    `client_id:client_secret` for client credentials. Left out with `client_id` and `client_secret`."""
    client_credentials: ClientCredentialsSpec | None = None
    """Fetch access tokens. Left out: the secret is sent as it is."""


def _shape(value: object) -> str:
    return "several" if isinstance(value, list) else "one"


#: One credential, or a list of them. The labels appear in the locations of errors.
Auths: TypeAlias = Annotated[
    Annotated[AuthSpec, Tag("one")] | Annotated[tuple[AuthSpec, ...], Tag("several"), Field(min_length=1)],
    Discriminator(_shape),
]


class ClientCertificateSpec(Closed):
    """What the toolset shows of itself to a server that asks for a certificate (mutual TLS)."""

    certificate: Name
    """The secret that holds the certificate, and those between it and its authority, as PEM."""
    key: Name | None = None
    """The secret that holds the private key as PEM. Left out: it stands with the certificate."""
    key_password: Name | None = None
    """The secret that opens the private key, if it is encrypted."""


UndoPath: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(answer|arguments)(\.[A-Za-z_][A-Za-z0-9_-]*)+$")
]


class ToolOutputSpec(Closed):
    """What is known of a tool's answers, and how much of them is kept."""

    trust: Trust = "untrusted"
    """Who wrote the content. Content that anybody outside can write is `untrusted`."""
    sensitivity: Sensitivity = "internal"
    """Who may see it."""
    max_bytes: PositiveInt = 1_048_576
    """The largest answer that is read, in bytes after decompression."""
    fields: tuple[NonEmpty, ...] = ()
    """The fields to keep, as dotted paths. Left out: all."""
    typed: JsonSchema | None = None
    """A schema of numbers, enums, dates and identifiers. An untrusted answer that satisfies it holds no
    sentence that a model could obey. Identifiers are texts with a `pattern` such as `[A-Z0-9_-]{1,40}`."""


class IdempotencySpec(Closed):
    """How the service recognises a repeated request."""

    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    """The header that carries the key."""


class RateSpec(Closed):
    """How often a tool may be called, over all runs of the process."""

    per_minute: PositiveInt
    """Calls a minute."""


def _as_undo(value: object) -> object:
    return {"tool": value} if isinstance(value, str) else value


class UndoSpec(Closed):
    """How a call is taken back."""

    tool: LocalToolName
    """The tool of this toolset that does it."""
    arguments: dict[NonEmpty, UndoPath] | None = None
    """Its argument → where the value stands: `answer.id`, or `arguments.id` of the call that is taken back.
    Left out: the arguments that have the same names in both."""


Undo: TypeAlias = Annotated[
    UndoSpec,
    BeforeValidator(_as_undo),
    EditorSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[a-zA-Z][a-zA-Z0-9_-]{0,62}$"},
                {
                    "type": "object",
                    "properties": {
                        "tool": {"type": "string"},
                        "arguments": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "required": ["tool"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class ToolSpec(Closed):
    """One tool: an operation of the document, and what it does to the world."""

    operation: NonEmpty
    """The `operationId`, or `METHOD /path`."""
    effect: Effect
    """What a call does: `send` moves data or money out, `read` changes nothing."""
    server: NonEmpty | None = None
    """The operation's base URL, or `${env.NAME}`, if it is not that of the toolset."""
    description: str | None = None
    """What the model is told. Left out: the document's summary and description."""
    output: ToolOutputSpec = ToolOutputSpec()
    """Labels and bounds of the answers."""
    idempotency: IdempotencySpec | None = None
    """How a repeated call is recognised; without it an effect is never repeated."""
    retry: RetrySpec | None = None
    """When to try again."""
    timeout: Duration = "30s"
    """How long a call may take."""
    rate: RateSpec | None = None
    """How often it may be called."""
    pagination: PaginationSpec | None = None
    """How the pages of an answer are found; one call then reads them all, up to a bound."""
    cache: CacheSpec | None = None
    """How long answers are kept inside a run; left out: each call asks the service."""
    destinations: tuple[NonEmpty, ...] = ()
    """The arguments that say where data, money or access goes: recipients, URLs, account numbers. After
    untrusted content was read, a person is asked about them, also for a `read`."""
    undo: Undo | None = None
    """The tool of this toolset that takes a call back, and its arguments."""


class ToolsetSpec(Closed):
    """Tools from one OpenAPI document."""

    openapi: OpenApiSpec
    """The document."""
    server: NonEmpty | None = None
    """The service's base URL, or `${env.NAME}`. Left out: the document's only server."""
    auth: Auths | None = None
    """The credential, or a list of them. Each call sends those that its operation asks for."""
    client_certificate: ClientCertificateSpec | None = None
    """The client certificate, for operations that ask for mutual TLS and servers that always do."""
    tools: Annotated[dict[LocalToolName, ToolSpec], Field(min_length=1)]
    """The tools, by name. A tool is usable once a PermissionSet grants it."""
