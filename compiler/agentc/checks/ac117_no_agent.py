"""AC117: project without an agent."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC117",
    name="no-agent",
    title="project without an agent",
    why=(
        "Tools and permissions do nothing without an agent. Most often its file was deleted, or lies outside of "
        "the project."
    ),
    level="warning",
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }  # <- AC117
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
# file: agent.yaml
# absent
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """A project with tools or permissions, and no agent that could use them."""
    others = any(resource.kind != "Project" for resource in program.resources)
    if program.agents or not others or program.project is None or program.broken.any("Agent"):
        return
    yield RULE.at(
        program.project.name_span(),
        "the project has no agent",
        help="add one; nothing can be built or run without it",
    )
