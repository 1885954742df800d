"""AC705: operation uses what agentc does not build yet."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC705",
    name="unsupported-openapi",
    title="operation uses what agentc does not build yet",
    why=(
        "A request is built exactly or not at all. An operation that needs something else is "
        "refused when it is compiled."
    ),
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
        - { name: ticket_id, in: path, required: true, style: deepObject, schema: { type: string } }  # <- AC705
      responses: { "200": { description: ok } }
  /refunds:
    post:
      operationId: createRefund
      summary: Pay money back
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
      summary: Pay money back
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
""",
)
