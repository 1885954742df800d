"""AC917: a version that is too low for what changed."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC917",
    name="version-too-low",
    title="a version that is too low for what changed",
    why=(
        "A version tells whoever deploys an agent what to look at. A widening of severity high asks for a new major "
        "version, another one for a minor, and any other difference for a patch. Below 1.0.0 a minor version is "
        "enough."
    ),
    level="warning",
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.1, owner: support }  # <- AC917
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 5 }
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
