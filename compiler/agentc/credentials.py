"""The credentials of a toolset: what is sent with a call, and the scopes that an agent's grants need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agentc_runtime import bundle as ir

from .openapi import CompiledOperation
from .openapi.security import UNDESCRIBED_SCHEMES
from .program import Agent, Program, Tool, Toolset
from .references import Reference, parse_reference

#: RFC 6749, section 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]{1,200}")


def endpoint_of(text: str) -> ir.Endpoint:
    """A URL that a spec writes, or names by `${env.NAME}`, as the bundle has it."""
    reference = parse_reference(text)
    if isinstance(reference, Reference) and reference.root == "env":
        return ir.Endpoint(variable=reference.path[0])
    return ir.Endpoint(url=text)


def token_url(toolset: Toolset) -> str | None:
    """Where the toolset's access tokens are fetched, as it is written; `None` when none are, or none says."""
    auth = toolset.resource.spec.auth
    if auth is None or auth.client_credentials is None:
        return None
    if auth.client_credentials.token_url is not None:
        return auth.client_credentials.token_url
    operations = (tool.operation for tool in toolset.tools.values() if tool.operation is not None)
    said = (
        credential.token_url
        for operation in operations
        for alternative in operation.security
        for credential in alternative
        if credential.scheme == auth.scheme and credential.token_url
    )
    return next(said, None)


def kind_of_scheme(toolset: Toolset) -> str:
    """How the credential of the toolset's scheme is sent, in one word."""
    auth, document = toolset.resource.spec.auth, toolset.document
    if auth is None or document is None:
        return ""
    if not document.security_schemes:
        return UNDESCRIBED_SCHEMES.get(auth.scheme, "")
    return document.security_schemes.get(auth.scheme, "")


def malformed_scopes(toolset: Toolset, scheme: str) -> Iterator[tuple[Tool, str]]:
    """Scopes that an operation needs and that no token request can ask for."""
    for tool in toolset.tools.values():
        for scope in tool.operation.scopes(scheme) if tool.operation is not None else ():
            if not _SCOPE.fullmatch(scope):
                yield tool, scope


def lowered_auth(
    program: Program, agent: Agent, tool: Tool, operation: CompiledOperation
) -> tuple[ir.Auth, ...]:
    """What is sent with each call of `tool`. An access token has what all grants of the agent need of it."""
    spec = tool.toolset.spec.auth
    if spec is None:
        return ()
    toolset = program.toolsets[tool.toolset.name]
    assert toolset.document is not None  # an operation comes out of a document
    if toolset.document.security_schemes:
        auth = operation.auth(spec.scheme, spec.secret)
    else:
        kind = UNDESCRIBED_SCHEMES.get(spec.scheme)
        auth = (ir.Auth(kind=kind, secret=spec.secret),) if kind else ()
    url = token_url(toolset)
    if spec.client_credentials is None or url is None or not auth:
        return auth
    source = ir.TokenSource(
        endpoint=endpoint_of(url),
        scopes=_scopes(agent, tool.toolset.name, spec.scheme),
        extra_scopes=tuple(sorted(set(spec.client_credentials.extra_scopes))),
        method=spec.client_credentials.method,
    )
    return tuple(ir.Auth(kind=one.kind, secret=one.secret, name=one.name, token=source) for one in auth)


def _scopes(agent: Agent, toolset: str, scheme: str) -> tuple[str, ...]:
    needed: set[str] = set()
    for grant in agent.grants.values():
        if grant.tool.toolset.name == toolset and grant.tool.operation is not None:
            needed.update(grant.tool.operation.scopes(scheme))
    return tuple(sorted(needed))


def token_sources(tools: Iterable[ir.Tool]) -> list[tuple[str, ir.TokenSource]]:
    """The sources of access tokens of a program's tools, each once, with the secret of the client."""
    found = {
        (auth.secret, auth.token) for tool in tools for auth in tool.request.auth if auth.token is not None
    }
    return sorted(found, key=lambda one: (one[0], one[1].scopes, one[1].endpoint.url or ""))
