"""AC916: input or session values that were refused."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC916",
    name="more-input",
    title="input or session values that were refused",
    why=(
        "What an agent is bound to comes from its input and session. Values that these did not admit reach "
        "every argument that is bound to them."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:  # <- AC916
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
    schema: { type: object, properties: { ticket_id: { type: string, pattern: "T-[0-9]+" } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
