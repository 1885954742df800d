"""AC717: lock that does not show what toolsets use of the document."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC717",
    name="stale-lock",
    title="lock that does not show what toolsets use of the document",
    why=(
        "The text in a lock is what a reviewer reads instead of a document that may have megabytes. It has to be what "
        "the document says, and of the operations that the toolsets name."
    ),
    bad="""\
# file: openapi.lock.yaml
files: {}
main: openapi.yaml
sha256: "{sha256:openapi.yaml}"
---
components:
  securitySchemes:
    bearerAuth:
      scheme: bearer
      type: http
info:
  title: Desk
  version: "1.0.0"
openapi: "3.1.0"
paths:
  /refunds:
    post:
      operationId: createRefund
      requestBody:
        content:
          application/json:
            schema:
              properties:
                amount:
                  maximum: 100  # <- AC717
                  type: number
                currency:
                  type: string
                ticket_id:
                  type: string
              required:
                - ticket_id
                - amount
              type: object
        required: true
      responses:
        "201":
          content:
            application/json:
              schema:
                properties:
                  id:
                    type: string
                type: object
      security:
        - bearerAuth: []
      summary: Pay money back
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      parameters:
        - in: path
          name: ticket_id
          required: true
          schema:
            type: string
      responses:
        "200":
          content:
            application/json:
              schema:
                properties:
                  id:
                    type: string
                  priority:
                    type: integer
                  subject:
                    type: string
                required:
                  - id
                  - subject
                type: object
      security:
        - bearerAuth: []
      summary: Read a ticket
""",
    good="""\
# file: openapi.lock.yaml
files: {}
main: openapi.yaml
sha256: "{sha256:openapi.yaml}"
---
components:
  securitySchemes:
    bearerAuth:
      scheme: bearer
      type: http
info:
  title: Desk
  version: "1.0.0"
openapi: "3.1.0"
paths:
  /refunds:
    post:
      operationId: createRefund
      requestBody:
        content:
          application/json:
            schema:
              properties:
                amount:
                  type: number
                currency:
                  type: string
                ticket_id:
                  type: string
              required:
                - ticket_id
                - amount
              type: object
        required: true
      responses:
        "201":
          content:
            application/json:
              schema:
                properties:
                  id:
                    type: string
                type: object
      security:
        - bearerAuth: []
      summary: Pay money back
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      parameters:
        - in: path
          name: ticket_id
          required: true
          schema:
            type: string
      responses:
        "200":
          content:
            application/json:
              schema:
                properties:
                  id:
                    type: string
                  priority:
                    type: integer
                  subject:
                    type: string
                required:
                  - id
                  - subject
                type: object
      security:
        - bearerAuth: []
      summary: Read a ticket
""",
)
