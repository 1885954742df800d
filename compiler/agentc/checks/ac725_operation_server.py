"""AC725: operation has a server of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import document_span
from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program

RULE = Rule(
    code="AC725",
    name="operation-server",
    title="operation has a server of its own",
    why=(
        "The document says that this operation, or its path, is served somewhere else than the rest. The "
        "toolset's `server` would send the request, with its credential, to the wrong place."
    ),
    bad="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
servers: [{ url: https://desk.example.com }]
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      parameters: [{ name: ticket_id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: the ticket } }
  /refunds:
    servers: [{ url: https://money.example.com }]
    post: { operationId: createRefund, summary: Pay money back, responses: { "201": { description: done } } }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }  # <- AC725
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - { tool: desk.refund, quota: { per_run: 1 } }
""",
    good="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
servers: [{ url: https://desk.example.com }]
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      parameters: [{ name: ticket_id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: the ticket } }
  /refunds:
    servers: [{ url: https://money.example.com }]
    post: { operationId: createRefund, summary: Pay money back, responses: { "201": { description: done } } }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, server: "https://money.example.com" }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - { tool: desk.refund, quota: { per_run: 1 } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools whose operation is served elsewhere, in toolsets that say where all of them are."""
    for toolset in program.toolsets.values():
        server = toolset.resource.spec.server
        if server is None:
            continue
        for tool in toolset.tools.values():
            operation = tool.operation
            if operation is None or operation.own_servers is None or tool.spec.server is not None:
                continue
            if server.rstrip("/") in operation.servers:
                continue
            where = " or ".join(f"`{url}`" for url in operation.servers[:3])
            yield RULE.at(
                tool.span("operation"),
                f"`{tool.spec.operation}` has a server of its own" + (f", {where}" if where else ""),
                help="add `server:` to the tool; a variable of the environments is written `${env.NAME}`",
                notes=(Note("said here", document_span(toolset, operation.own_servers)),),
            )
