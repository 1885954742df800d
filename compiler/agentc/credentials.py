"""The credentials of a toolset: what is sent with a call, and the scopes that an agent's grants need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentc_runtime.environments import Auth, ClientCertificate, Endpoint, TokenSource

from .diagnostics import Span
from .openapi import Problem, problem_span
from .openapi.model import Credential
from .openapi.parts import source_of
from .openapi.security import UNDESCRIBED_SCHEMES
from .program import Agent, Program, Tool, Toolset
from .references import Reference, parse_reference
from .resources import Resource, Step
from .syntax.toolset import AuthSpec, ToolsetSpec

#: RFC 6749, section 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]{1,200}")


def endpoint_of(text: str) -> Endpoint:
    """A URL that a spec writes, or names by `${env.NAME}`, as the bundle has it."""
    reference = parse_reference(text)
    if isinstance(reference, Reference) and reference.root == "env":
        return Endpoint(variable=reference.path[0])
    return Endpoint(url=text)


def auths(resource: Resource[ToolsetSpec]) -> tuple[tuple[AuthSpec, tuple[Step, ...]], ...]:
    """The credentials that a toolset has, each with its place in the spec."""
    written = resource.spec.auth
    if written is None:
        return ()
    if isinstance(written, AuthSpec):
        return ((written, ("auth",)),)
    return tuple((auth, ("auth", index)) for index, auth in enumerate(written))


def is_whole(auth: AuthSpec) -> bool:
    """Whether a credential names what it is made of in one way: one secret, or a client's two."""
    client = auth.client_credentials
    parts = (client.client_id, client.client_secret) if client is not None else (None, None)
    if auth.secret is not None:
        return parts == (None, None)
    return None not in parts


def sent(toolset: Toolset, tool: Tool) -> tuple[Credential, ...] | None:
    """What a call of `tool` sends, of what its operation asks for; `None` if the toolset lacks a part of it.

    A document that describes no scheme can't say what is open: then everything is sent with each call.
    """
    document, operation = toolset.document, tool.operation
    if document is None or operation is None:
        return ()
    schemes = [auth.scheme for auth, _ in auths(toolset.resource) if is_whole(auth)]
    if not document.security_schemes:
        kinds = {scheme: UNDESCRIBED_SCHEMES.get(scheme) for scheme in schemes}
        return tuple(Credential(scheme=scheme, kind=kind) for scheme, kind in kinds.items() if kind)
    return operation.credentials(schemes, certificate=toolset.resource.spec.client_certificate is not None)


def discovery_url(toolset: Toolset, scheme: str) -> str | None:
    """Where the document says that the provider of a scheme tells about itself."""
    return next((one.discovery_url for one in _asked(toolset, scheme) if one.discovery_url), None)


def token_url(toolset: Toolset, auth: AuthSpec) -> str | None:
    """Where the access tokens of a credential are fetched, as it is written; `None` when none are, or none
    says."""
    if auth.client_credentials is None:
        return None
    if auth.client_credentials.token_url is not None:
        return auth.client_credentials.token_url
    return next((one.token_url for one in _asked(toolset, auth.scheme) if one.token_url), None)


def _asked(toolset: Toolset, scheme: str) -> Iterator[Credential]:
    """A scheme as each operation asks for it."""
    for tool in toolset.tools.values():
        for alternative in tool.operation.security if tool.operation is not None else ():
            yield from (credential for credential in alternative if credential.scheme == scheme)


def kind_of_scheme(toolset: Toolset, scheme: str) -> str:
    """How a credential for `scheme` is sent, in one word."""
    document = toolset.document
    if document is None:
        return ""
    if not document.security_schemes:
        return UNDESCRIBED_SCHEMES.get(scheme, "")
    return document.security_schemes.get(scheme, "")


def malformed_scopes(toolset: Toolset, scheme: str) -> Iterator[tuple[Tool, str]]:
    """Scopes that an operation needs and that no token request can ask for."""
    for tool in toolset.tools.values():
        for scope in _needed(toolset, tool, scheme):
            if not _SCOPE.fullmatch(scope):
                yield tool, scope


def lowered_auth(program: Program, agent: Agent, tool: Tool) -> tuple[Auth, ...]:
    """What is sent with each call of `tool`. An access token has what all grants of the agent need of it.

    A client whose token endpoint is not known sends nothing: its secret is no token.
    """
    toolset = program.toolsets[tool.toolset.name]
    by_scheme = {
        auth.scheme: auth
        for auth, _ in auths(tool.toolset)
        if is_whole(auth) and (auth.client_credentials is None or token_url(toolset, auth) is not None)
    }
    return tuple(
        _auth(agent, toolset, credential, by_scheme[credential.scheme])
        for credential in sent(toolset, tool) or ()
        if credential.scheme in by_scheme and credential.kind != "certificate"
    )


def _auth(agent: Agent, toolset: Toolset, credential: Credential, spec: AuthSpec) -> Auth:
    assert credential.kind != "certificate"  # it is not sent
    client, url = spec.client_credentials, token_url(toolset, spec)
    token = None
    secret = spec.secret
    if client is not None and url is not None:
        secret = secret or client.client_secret
        token = TokenSource(
            endpoint=endpoint_of(url),
            scopes=_scopes(agent, toolset, spec.scheme),
            extra_scopes=tuple(sorted(set(client.extra_scopes))),
            method=client.method,
            client_id=client.client_id,
        )
    assert secret is not None  # it is whole
    return Auth(kind=credential.kind, secret=secret, name=credential.wire, token=token)


def lowered_certificate(resource: Resource[ToolsetSpec]) -> ClientCertificate | None:
    """What the toolset shows of itself in TLS."""
    spec = resource.spec.client_certificate
    if spec is None:
        return None
    return ClientCertificate(certificate=spec.certificate, key=spec.key, key_password=spec.key_password)


def _needed(toolset: Toolset, tool: Tool, scheme: str) -> tuple[str, ...]:
    return next((one.scopes for one in sent(toolset, tool) or () if one.scheme == scheme), ())


def _scopes(agent: Agent, toolset: Toolset, scheme: str) -> tuple[str, ...]:
    needed: set[str] = set()
    for grant in agent.grants.values():
        if grant.tool.toolset.name == toolset.resource.name:
            needed.update(_needed(toolset, grant.tool, scheme))
    return tuple(sorted(needed))


def document_span(toolset: Toolset, problem: Problem) -> Span | None:
    """The place of a problem in the toolset's document, in one of its other files, or in an overlay of it."""
    if toolset.file is None:
        return None
    for overlay in toolset.overlays:
        if overlay.path == problem.file:
            return problem_span(overlay, problem)
    if toolset.lock is None:
        return problem_span(toolset.file, problem)
    return problem_span(*source_of(problem, toolset.file, toolset.lock.source))
