"""The small project that the examples of the rules are laid over.

A rule's `bad` and `good` name only the files that matter; every other file comes from here. On its own
this project has no findings, which a test proves.
"""

PROJECT = """\
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
      private_hosts: ["127.0.0.1:8080"]
  approvers:
    leads: [ana@example.com]
"""

OPENAPI = """\
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
      responses:
        "200":
          description: the ticket
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: { type: string }
                  subject: { type: string }
                  priority: { type: integer }
                required: [id, subject]
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
              properties:
                ticket_id: { type: string }
                amount: { type: number }
                currency: { type: string }
              required: [ticket_id, amount]
      responses:
        "201":
          description: done
          content:
            application/json:
              schema: { type: object, properties: { id: { type: string } } }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
"""

TOOLSET = """\
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: %s }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
"""

PERMISSIONS = """\
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
"""

AGENT = """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string } }
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""


def sha256_of(text: str) -> str:
    """The digest that pins a document of an example."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


BASE: dict[str, str] = {
    "agentc.yaml": PROJECT,
    "openapi.yaml": OPENAPI,
    "toolset.yaml": TOOLSET % sha256_of(OPENAPI),
    "permissions.yaml": PERMISSIONS,
    "agent.yaml": AGENT,
}


def example_files(example: str) -> dict[str, str]:
    """The project that an example stands for: its files, laid over the base project.

    `# file: PATH` lines begin a file; text before the first one is `agent.yaml`. A file whose only
    content is `# absent` is taken away. `{sha256:PATH}` stands for the digest of another file.
    """
    import re

    files = dict(BASE)
    name: str = "agent.yaml"
    lines: list[str] = []
    for line in [*example.splitlines(keepends=True), "# file: \n"]:
        if line.startswith("# file: "):
            if "".join(lines).strip():
                files[name] = "".join(lines)
            name, lines = line.removeprefix("# file: ").strip(), []
        else:
            lines.append(line)
    files = {path: text for path, text in files.items() if text.strip() != "# absent"}
    if "openapi.yaml" in files and files["openapi.yaml"] is not BASE["openapi.yaml"]:
        files["toolset.yaml"] = files["toolset.yaml"].replace(
            sha256_of(OPENAPI), sha256_of(files["openapi.yaml"])
        )
    return {
        path: re.sub(r"\{sha256:([^}]+)\}", lambda match: sha256_of(files[match[1]]), text)
        for path, text in files.items()
    }
