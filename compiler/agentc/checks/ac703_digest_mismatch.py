"""AC703: OpenAPI document is not the one that was pinned."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC703",
    name="digest-mismatch",
    title="OpenAPI document is not the one that was pinned",
    why=(
        "The digest is the promise that a reviewer saw the document. Other bytes may hold other operations."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi:
    file: openapi.yaml
    sha256: abababababababababababababababababababababababababababababababab  # <- AC703
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


def check(program: Program) -> Iterator[Diagnostic]:
    """Documents whose bytes have another digest than the toolset says."""
    for toolset in program.toolsets.values():
        pinned = toolset.resource.spec.openapi.sha256
        if toolset.file is not None and pinned is not None and pinned != toolset.file.sha256:
            span = toolset.resource.span("openapi", "sha256")
            yield RULE.at(
                span,
                f"`{toolset.file.path}` has the digest `{toolset.file.sha256}`",
                help=f"read what changed, then pin it: `agentc import openapi {toolset.file.path}`",
            )
