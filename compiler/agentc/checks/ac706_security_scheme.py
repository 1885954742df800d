"""AC706: credential does not match the operation."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import kind_of_scheme, malformed_scopes, token_url
from ..diagnostics import Diagnostic, Rule, Span, did_you_mean
from ..openapi.security import UNDESCRIBED_SCHEMES
from ..program import Program, Toolset

RULE = Rule(
    code="AC706",
    name="security-scheme",
    title="credential does not match the operation",
    why=(
        "An operation says which security scheme it asks for. A call without the right "
        "credential fails, and one with the wrong credential leaks it."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearer, secret: desk_token }  # <- AC706
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
)


def report(span: Span, message: str, help_: str | None = None) -> Diagnostic:
    """The security scheme at `span` can't be used."""
    return RULE.at(span, message, help=help_)


def check(program: Program) -> Iterator[Diagnostic]:
    """Toolsets whose `auth` is not what their operations ask for: once a toolset."""
    for toolset in program.toolsets.values():
        resource, document = toolset.resource, toolset.document
        if document is None or document.problems:
            continue
        auth = resource.spec.auth
        schemes = document.security_schemes
        if auth is not None and not schemes and auth.scheme in UNDESCRIBED_SCHEMES:
            if auth.client_credentials is not None:
                yield from _client_credentials(toolset, auth.scheme)
            continue
        if auth is not None and auth.scheme not in schemes:
            yield report(
                resource.span("auth", "scheme"),
                f"`{resource.spec.openapi.file}` has no security scheme `{auth.scheme}`",
                did_you_mean(auth.scheme, schemes or UNDESCRIBED_SCHEMES),
            )
            continue
        if auth is not None and auth.client_credentials is not None:
            yield from _client_credentials(toolset, auth.scheme)
        for tool in toolset.tools.values():
            if tool.operation is None or tool.operation.admits(auth.scheme if auth else None):
                continue
            alternatives = [[one.scheme for one in credentials] for credentials in tool.operation.security]
            wanted = " or ".join("`" + "` with `".join(schemes) + "`" for schemes in alternatives)
            if auth is None:
                yield report(
                    tool.span("operation"),
                    f"`{tool.spec.operation}` asks for a credential and the toolset has no `auth`",
                    f"add `auth:` with scheme {wanted} and the secret that holds it",
                )
            else:
                yield report(
                    tool.span("operation"),
                    f"`{tool.spec.operation}` asks for {wanted}, not for `{auth.scheme}`",
                    "put it into a toolset of its own with that scheme",
                )


def _client_credentials(toolset: Toolset, scheme: str) -> Iterator[Diagnostic]:
    resource = toolset.resource
    span = resource.span("auth", "client_credentials", key=True)
    if kind_of_scheme(toolset) != "bearer":
        yield report(
            span,
            f"`{scheme}` asks for no access token",
            "remove `client_credentials`, or name a scheme of type oauth2, openIdConnect or http bearer",
        )
    elif token_url(toolset) is None:
        yield report(
            span,
            f"`{resource.spec.openapi.file}` has no absolute `tokenUrl` for client credentials in `{scheme}`",
            "add `token_url:` with the URL where the service gives tokens",
        )
    for tool, scope in malformed_scopes(toolset, scheme):
        yield report(
            tool.span("operation"), f"`{tool.spec.operation}` needs a scope that none can be: {scope!a:.80}"
        )
