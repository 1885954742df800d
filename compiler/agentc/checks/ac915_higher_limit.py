"""AC915: a limit of a run that is higher."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC915",
    name="higher-limit",
    title="a limit of a run that is higher",
    why=("Steps, tokens, cost, time and calls a turn bound what a run can do when it goes wrong."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 5 }  # <- AC915
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
