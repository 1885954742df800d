"""AC306: template reads data that is not declared."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC306",
    name="undeclared-template-variable",
    title="template reads data that is not declared",
    why=(
        "A template reads `input`, `session` and the outputs of states, by paths that their "
        "schemas declare. A misspelled name would be an empty place in the prompt."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help with {{ input.tikcet_id }}.  # <- AC306
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
