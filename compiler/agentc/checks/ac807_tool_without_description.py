"""AC807: tool without a description."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC807",
    name="tool-without-description",
    title="tool without a description",
    why=("The description is all that a model knows of a tool. Without one it guesses from the name."),
    bad="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      security: [{ bearerAuth: [] }]
      parameters:
        - { name: ticket_id, in: path, required: true, schema: { type: string } }
      responses: { "200": { description: ok } }
  /refunds:
    post:
      operationId: createRefund
      security: [{ bearerAuth: [] }]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties: { ticket_id: { type: string }, amount: { type: number } }
              required: [ticket_id, amount]
      responses: { "201": { description: ok } }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
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
    refund: { operation: createRefund, effect: send }  # <- AC807
""",
    good="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      security: [{ bearerAuth: [] }]
      parameters:
        - { name: ticket_id, in: path, required: true, schema: { type: string } }
      responses: { "200": { description: ok } }
  /refunds:
    post:
      operationId: createRefund
      security: [{ bearerAuth: [] }]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties: { ticket_id: { type: string }, amount: { type: number } }
              required: [ticket_id, amount]
      responses: { "201": { description: ok } }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
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
    refund: { operation: createRefund, effect: send, description: Pay money back }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Granted tools that neither the toolset nor the document describes."""
    for name in sorted({name for agent in program.agents.values() for name in agent.grants}):
        tool = program.tools[name]
        if tool.operation is not None and not (tool.spec.description or tool.operation.description).strip():
            yield RULE.at(
                tool.span(key=True),
                f"tool `{name}` has no description",
                help="add `description:` to the tool",
            )
