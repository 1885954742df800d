"""AC702: OpenAPI document can't be read."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC702",
    name="missing-document",
    title="OpenAPI document can't be read",
    why=(
        "A toolset's document lies in the project, so that every machine compiles the same "
        "bytes. The network is used by `agentc import` alone."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi:
    file: api/desk.yaml  # <- AC702
    sha256: abababababababababababababababababababababababababababababababab
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
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


def report(span: Span, path: str, reason: str) -> Diagnostic:
    """The document at `path`, named at `span`, can't be read."""
    return RULE.at(
        span, f"can't read `{path}`: {reason}", help="bring it in with `agentc import openapi PATH-OR-URL`"
    )
