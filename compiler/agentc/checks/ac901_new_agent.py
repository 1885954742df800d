"""AC901: an agent that was not there."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC901",
    name="new-agent",
    title="an agent that was not there",
    why=(
        "A new agent is everything that it may do: its tools, servers, models and secrets are listed with it."
    ),
    bad="""\
# file: helper.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: helper, version: 1.0.0, owner: support }  # <- AC901
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
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
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
