"""AC729: credential that no call sends."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import auths, sent
from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC729",
    name="unused-credential",
    title="credential that no call sends",
    level="warning",
    why=(
        "Of the alternatives that an operation offers, a call uses the one with the fewest credentials. One "
        "that is never used is a secret that the deployment would not have to hold."
    ),
    bad="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
security: [{ token: [], key: [] }, { token: [] }]
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      parameters: [{ name: ticket_id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: the ticket } }
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
    key: { type: apiKey, in: header, name: X-Key }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth:
    - { scheme: token, secret: desk_token }
    - { scheme: key, secret: desk_token }  # <- AC729
  tools:
    get_ticket: { operation: getTicket, effect: read }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
    good="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
security: [{ token: [], key: [] }, { token: [] }]
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read a ticket
      parameters: [{ name: ticket_id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: the ticket } }
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
    key: { type: apiKey, in: header, name: X-Key }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: token, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Credentials of toolsets whose every operation is known and satisfied, and sends others."""
    for toolset in program.toolsets.values():
        if toolset.document is None or any(tool.operation is None for tool in toolset.tools.values()):
            continue
        calls = [sent(toolset, tool) for tool in toolset.tools.values()]
        if any(call is None for call in calls):
            continue
        used = {credential.scheme for call in calls for credential in call or ()}
        for auth, path in auths(toolset.resource):
            if auth.scheme in toolset.document.security_schemes and auth.scheme not in used:
                yield RULE.at(
                    toolset.resource.span(*path, "scheme"),
                    f"no tool of `{toolset.resource.name}` sends the credential for `{auth.scheme}`",
                    help="remove it from `auth`",
                )
