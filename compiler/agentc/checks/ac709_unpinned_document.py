"""AC709: OpenAPI document is not pinned."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC709",
    name="unpinned-document",
    title="OpenAPI document is not pinned",
    why=("Without a digest a changed document changes what the agent can do, and no review shows it."),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml }  # <- AC709
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
    """Toolsets without the digest of their document."""
    for toolset in program.toolsets.values():
        if toolset.file is not None and toolset.resource.spec.openapi.sha256 is None:
            yield RULE.at(
                toolset.resource.span("openapi", "file"),
                f"`{toolset.file.path}` is not pinned by its digest",
                help=f"add `sha256: {toolset.file.sha256}`",
            )
