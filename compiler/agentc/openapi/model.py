"""What comes out of an OpenAPI document: frozen values that hold everything the later stages need."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from agentc_runtime.bundle import Body, Param, PathPart, RequestPlan, ResponseCase
from agentc_runtime.environments import Auth, ClientCertificate, Endpoint
from agentc_runtime.expressions import Schema

from .problem import Pointer, Problem

Method: TypeAlias = Literal["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"]
METHODS: Mapping[str, Method] = {
    "get": "GET",
    "put": "PUT",
    "post": "POST",
    "delete": "DELETE",
    "options": "OPTIONS",
    "head": "HEAD",
    "patch": "PATCH",
    "trace": "TRACE",
    "query": "QUERY",
}


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is kept in the cache: closed, so that an entry of another shape is not read."""


class Entry(Value, frozen=True, kw_only=True):
    """One operation of a document. `operation_id` is absent when the document gives none."""

    operation_id: str | None
    method: Method
    path: str

    @property
    def name(self) -> str:
        """The operationId, else `METHOD /path`."""
        return self.operation_id if self.operation_id is not None else f"{self.method} {self.path}"

    @property
    def pointer(self) -> Pointer:
        """Where the operation stands."""
        return ("paths", self.path, self.method.lower())


class Unread(Value, frozen=True, kw_only=True):
    """Why an operation of one of these names can't be read; without names, any operation may be meant."""

    names: tuple[str, ...]
    problem: Problem


class Credential(Value, frozen=True, kw_only=True):
    """A security scheme as an operation asks for it. A `certificate` is shown in TLS and not sent.

    `wire` is the header, query parameter or cookie of an apiKey. `scopes` are what OAuth2 and OpenID
    Connect need for the operation; their access token is sent as a bearer token. `token_url` is where
    OAuth2 gives one for client credentials, and `discovery_url` where the provider says of itself what it
    supports, if the document says so.
    """

    scheme: str
    kind: Literal["bearer", "basic", "header", "query", "cookie", "certificate"]
    wire: str = ""
    scopes: tuple[str, ...] = ()
    token_url: str = ""
    discovery_url: str = ""


class CompiledOperation(Value, frozen=True, kw_only=True):
    """One operation, ready to be a tool.

    `arguments` is a closed object schema of everything that a call may set. `pointers` says where in the
    document each argument is described. `security` are alternatives, each of credentials that are sent
    together; none at all means that the operation is open to everybody. `asked` has the place where the
    document says so.
    `servers` are usable base URLs, in order, `unusable_servers` say why others are none, and `own_servers`
    has the place of those that take the place of the document's. `notes` tell what was left out or read
    leniently; they never stop anything.
    """

    operation_id: str
    method: Method
    path: str
    description: str
    arguments: Schema
    pointers: dict[str, Pointer]
    segments: tuple[tuple[PathPart, ...], ...]
    query: tuple[Param, ...]
    headers: tuple[Param, ...]
    body: Body | None
    responses: tuple[ResponseCase, ...]
    security: tuple[tuple[Credential, ...], ...]
    servers: tuple[str, ...]
    notes: tuple[Problem, ...] = ()
    cookies: tuple[Param, ...] = ()
    asked: Problem | None = None
    unusable_servers: tuple[Problem, ...] = ()
    own_servers: Problem | None = None
    deprecated: bool = False

    @property
    def response(self) -> Schema | None:
        """The schema of every successful answer, when there is one that they all have."""
        answers = [case for case in self.responses if case.status != "default"] or self.responses
        schemas = [case.schema for case in answers]
        first = schemas[0] if schemas else None
        return first if all(schema == first for schema in schemas) else None

    def plan(
        self, endpoint: Endpoint, auth: tuple[Auth, ...], certificate: ClientCertificate | None = None
    ) -> RequestPlan:
        """The request plan against a server, with the credentials of `auth` and a client certificate."""
        return RequestPlan(
            operation=self.operation_id,
            method=self.method,
            endpoint=endpoint,
            path=self.segments,
            query=self.query,
            headers=self.headers,
            cookies=self.cookies,
            body=self.body,
            auth=auth,
            certificate=certificate,
            responses=self.responses,
        )

    def credentials(
        self, schemes: Container[str], *, certificate: bool = False
    ) -> tuple[Credential, ...] | None:
        """What a call sends that has credentials for `schemes`, and a client certificate or not.

        Of the alternatives that these satisfy it is the one with the fewest credentials, of those the one
        with the fewest scopes, of those the first. An empty alternative (`{}`) is the last resort: who has a
        credential shows it. `None`: no alternative is satisfied.
        """
        if not self.security:
            return ()
        satisfied = [
            alternative
            for alternative in self.security
            if all(certificate if one.kind == "certificate" else one.scheme in schemes for one in alternative)
        ]

        def cost(alternative: tuple[Credential, ...]) -> tuple[bool, int, int]:
            scopes = {(one.scheme, scope) for one in alternative for scope in one.scopes}
            return not alternative, len(alternative), len(scopes)

        return min(satisfied, key=cost, default=None)

    def server_problem(self) -> Problem | None:
        """Why the server has to be named in the toolset; `None` when the document has exactly one."""
        if len(self.servers) == 1:
            return None
        if not self.servers:
            return Problem(
                "AC707",
                f"`{self.operation_id}` has no server with an absolute `http` or `https` URL",
                ("servers",),
                "set `server` in the toolset to the whole base URL, such as `https://host/base`",
            )
        listed = ", ".join(f"`{url}`" for url in self.servers[:5])
        return Problem(
            "AC707",
            f"`{self.operation_id}` has {len(self.servers)} servers",
            ("servers",),
            f"set `server` in the toolset, for example to one of {listed}",
        )


@dataclass(frozen=True)
class DocumentResult:
    """What was asked of a document. `problems` are about the whole document: then there is nothing else.

    `operations` and `operation_problems` are keyed by the names that were asked for. A name with neither an
    operation nor problems is unknown. `security_schemes` says of each scheme, in words, what it is.
    `overlay_problems` are those of the overlays as such.
    `files` are those that the operations reach beside the main one, by their key. `lock_problem` says that
    the lock shows something else than the document.
    """

    problems: tuple[Problem, ...] = ()
    openapi: str = ""
    title: str = ""
    version: str = ""
    entries: tuple[Entry, ...] = ()
    security_schemes: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[str, ...] = ()
    operations: Mapping[str, CompiledOperation | None] = field(default_factory=dict)
    operation_problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    overlay_problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    lock_problem: Problem | None = None

    def names(self) -> tuple[str, ...]:
        """The names of all operations, for suggestions."""
        return tuple(entry.name for entry in self.entries)
