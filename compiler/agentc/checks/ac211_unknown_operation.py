"""AC211: unknown operation."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC211",
    name="unknown-operation",
    title="unknown operation",
    why=("A tool is one operation of the toolset's document, by `operationId` or as `METHOD /path`."),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTickets, effect: read }  # <- AC211
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
    """Tools whose operation the document does not have."""
    for toolset in program.toolsets.values():
        document = toolset.document
        if document is None:
            continue
        for tool in toolset.tools.values():
            name = tool.spec.operation
            if not document.problems and tool.operation is None and not document.operation_problems[name]:
                yield RULE.at(
                    tool.span("operation"),
                    f"`{toolset.resource.spec.openapi.file}` has no operation `{tool.spec.operation}`",
                    help=did_you_mean(tool.spec.operation, document.names()),
                )
