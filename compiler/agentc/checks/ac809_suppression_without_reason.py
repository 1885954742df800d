"""AC809: suppression without a reason."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Rule
from ..parse import Suppression

RULE = Rule(
    code="AC809",
    name="suppression-without-reason",
    title="suppression without a reason",
    why=("A reviewer has to see why a finding does not matter here. Without a reason it is not suppressed."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  # agentc: ignore AC804
  instructions: Help the customer.
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
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)


def report(suppression: Suppression) -> Diagnostic:
    """The comment says no reason."""
    return RULE.at(
        suppression.span,
        f"{suppression.code} is ignored without a reason",
        help=f"write `# agentc: ignore {suppression.code} - REASON`",
    )
