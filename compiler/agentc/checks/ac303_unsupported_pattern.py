"""AC303: pattern outside the regular expression subset."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC303",
    name="unsupported-pattern",
    title="pattern outside the regular expression subset",
    why=(
        "Patterns are anchored and have no look-around and no back-references: they run in "
        "linear time, mean the same in every validator, and can be compared."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string, pattern: "(?=T)T-[0-9]+" } }  # <- AC303
      required: [ticket_id]
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
    schema:
      type: object
      properties: { ticket_id: { type: string, pattern: "T-[0-9]+" } }
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
