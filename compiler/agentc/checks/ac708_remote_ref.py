"""AC708: `$ref` that leaves the document."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC708",
    name="remote-ref",
    title="`$ref` that leaves the document",
    why=(
        "A reference to a host, or to a file that is not in the document's lock, would let a document read what "
        "the reviewer did not see."
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
        - { name: ticket_id, in: path, required: true, schema: { $ref: "https://example.com/id.json" } }  # <- AC708
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
