"""AC215: no `Project` resource."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC215",
    name="missing-project",
    title="no `Project` resource",
    why=(
        "The project says which models are approved and which hosts exist. Without it nothing "
        "can be resolved."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: other, version: 1.0.0, owner: support }  # <- AC215
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: http://127.0.0.1:8080
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """A project whose root has resources and no `Project`."""
    if program.project is None and program.resources and not program.broken.any("Project"):
        first = min(
            program.resources, key=lambda resource: (resource.file.path != "agentc.yaml", resource.file.path)
        )
        yield RULE.at(
            first.name_span(),
            "the project has no resource of kind `Project`",
            help="add one to `agentc.yaml`",
        )
