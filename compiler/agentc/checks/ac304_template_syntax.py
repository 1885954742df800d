"""AC304: template can't be parsed."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC304",
    name="template-syntax",
    title="template can't be parsed",
    why=("Prompts are Jinja templates, parsed when the agent is compiled."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help with {{ input.ticket_id.  # <- AC304
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help with {{ input.ticket_id }}.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
