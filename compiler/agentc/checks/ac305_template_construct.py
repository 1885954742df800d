"""AC305: template construct outside the subset."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC305",
    name="template-construct",
    title="template construct outside the subset",
    why=(
        "Templates are compiled to text and slots, and no template engine exists at run time. "
        "Calls, assignments and arithmetic have no place in that."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help with {{ input.ticket_id.lower() }}.  # <- AC305
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
  instructions: Help with {{ input.ticket_id | lower }}.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
