"""AC701: not an OpenAPI document that can be read."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC701",
    name="invalid-openapi",
    title="not an OpenAPI document that can be read",
    why=("Tools are compiled from OpenAPI 3.0 to 3.2 and Swagger 2.0 documents, in JSON or YAML."),
    bad="""\
# file: openapi.yaml
openapi: 4.0.0  # <- AC701
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
