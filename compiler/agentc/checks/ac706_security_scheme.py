"""AC706: credential does not match the operation."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import auths, document_span, is_whole, kind_of_scheme, malformed_scopes, sent, token_url
from ..diagnostics import Diagnostic, Note, Rule, did_you_mean
from ..openapi.model import Credential
from ..openapi.security import UNDESCRIBED_SCHEMES
from ..program import Program, Tool, Toolset
from ..resources import Step
from ..stepping import first_line
from ..syntax.toolset import AuthSpec

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


def check(program: Program) -> Iterator[Diagnostic]:
    """Toolsets whose credentials are not what their operations ask for."""
    for toolset in program.toolsets.values():
        if toolset.document is None or toolset.document.problems:
            continue
        wrong = list(_credentials(toolset))
        yield from wrong
        if not wrong and all(is_whole(auth) for auth, _ in auths(toolset.resource)):
            yield from _operations(program, toolset)


def _credentials(toolset: Toolset) -> Iterator[Diagnostic]:
    """What is wrong with a credential, whatever the operations ask for."""
    assert toolset.document is not None
    resource, described = toolset.resource, toolset.document.security_schemes
    known = described or UNDESCRIBED_SCHEMES
    seen: set[str] = set()
    for auth, path in auths(resource):
        span = resource.span(*path, "scheme")
        if auth.scheme not in known:
            message = f"`{resource.spec.openapi.file}` has no security scheme `{auth.scheme}`"
            yield RULE.at(span, message, help=did_you_mean(auth.scheme, known))
        elif auth.scheme in seen:
            yield RULE.at(span, f"`{auth.scheme}` stands twice in `auth`", help="remove one of the two")
        elif not described and seen:
            help_ = f"`{resource.spec.openapi.file}` describes no scheme: name one"
            yield RULE.at(span, f"`{auth.scheme}` fills the header that `{min(seen)}` fills", help=help_)
        elif kind_of_scheme(toolset, auth.scheme) == "certificate":
            help_ = "add `client_certificate:` to the toolset, and take the scheme out of `auth`"
            yield RULE.at(
                span, f"`{auth.scheme}` asks for a client certificate, which is not sent", help=help_
            )
        else:
            yield from _client_credentials(toolset, auth, path)
        seen.add(auth.scheme)


def _client_credentials(toolset: Toolset, auth: AuthSpec, path: tuple[Step, ...]) -> Iterator[Diagnostic]:
    if auth.client_credentials is None:
        return
    resource, scheme = toolset.resource, auth.scheme
    span = resource.span(*path, "client_credentials", key=True)
    if kind_of_scheme(toolset, scheme) != "bearer":
        help_ = "remove `client_credentials`, or name a scheme of type oauth2, openIdConnect or http bearer"
        yield RULE.at(span, f"`{scheme}` asks for no access token", help=help_)
    elif token_url(toolset, auth) is None:
        yield RULE.at(
            span,
            f"`{resource.spec.openapi.file}` has no absolute `tokenUrl` for client credentials in `{scheme}`",
            help="add `token_url:` with the URL where the service gives tokens, or let "
            f"`agentc import discovery --toolset {resource.name}` find it",
        )
    for tool, scope in malformed_scopes(toolset, scheme):
        message = f"`{tool.spec.operation}` needs a scope that none can be: {scope!a:.80}"
        yield RULE.at(tool.span("operation"), message)


def _operations(program: Program, toolset: Toolset) -> Iterator[Diagnostic]:
    """Operations that none of their alternatives admits: once for all that ask for the same."""
    asking: dict[frozenset[frozenset[str]], list[Tool]] = {}
    for tool in toolset.tools.values():
        if tool.operation is not None and sent(toolset, tool) is None:
            wanted = frozenset(
                frozenset(one.scheme for one in credentials) for credentials in tool.operation.security
            )
            asking.setdefault(wanted, []).append(tool)
    for tool, *others in asking.values():
        yield _unsatisfied(toolset, tool, others)


def _unsatisfied(toolset: Toolset, tool: Tool, others: list[Tool]) -> Diagnostic:
    assert tool.operation is not None
    spec = toolset.resource.spec
    has = [f"`{auth.scheme}`" for auth, _ in auths(toolset.resource)]
    has += ["a client certificate"] if spec.client_certificate is not None else []
    alternatives = tool.operation.security
    wanted = " or ".join(
        dict.fromkeys(" with ".join(f"`{one.scheme}`" for one in credentials) for credentials in alternatives)
    )
    name = f"`{tool.spec.operation}`"
    if has:
        message = f"{name} asks for {wanted}, and the toolset has {' and '.join(has)}"
    else:
        message = f"{name} asks for a credential, {wanted}, and the toolset has no `auth`"
    notes = []
    asked = tool.operation.asked
    if asked is not None and (span := document_span(toolset, asked)) is not None:
        notes.append(Note(asked.message, span))
    if spec.auth is not None:
        notes.append(Note("what the toolset has", first_line(toolset.resource.span("auth", key=True))))
    if others:
        more = ", ".join(f"`{other.spec.operation}`" for other in others[:3])
        notes.append(Note(f"so does {more}" + (f" and {len(others) - 3} more" if others[3:] else "")))
    return RULE.at(tool.span("operation"), message, help=_fix(toolset, alternatives), notes=tuple(notes))


def _fix(toolset: Toolset, alternatives: tuple[tuple[Credential, ...], ...]) -> str:
    """What the toolset lacks for the alternative that it is nearest to."""
    schemes = {auth.scheme for auth, _ in auths(toolset.resource)}
    certified = toolset.resource.spec.client_certificate is not None

    def lacking(credentials: tuple[Credential, ...]) -> list[Credential]:
        return [
            one
            for one in credentials
            if not (certified if one.kind == "certificate" else one.scheme in schemes)
        ]

    nearest = min((lacking(credentials) for credentials in alternatives), key=len)
    names = " and ".join(f"`{one.scheme}`" for one in nearest if one.kind != "certificate")
    parts = [f"`auth:` with scheme {names} and the secret that holds it"] if names else []
    if any(one.kind == "certificate" for one in nearest):
        parts.append("`client_certificate:`")
    return "add " + " and ".join(parts)
