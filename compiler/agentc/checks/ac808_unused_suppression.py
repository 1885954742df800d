"""AC808: suppression that suppresses nothing."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Rule, is_always_error
from ..parse import Suppression

RULE = Rule(
    code="AC808",
    name="unused-suppression",
    title="suppression that suppresses nothing",
    why=("A suppression that is left behind would hide the next finding of its rule on that line."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  # agentc: ignore AC804 - the platform limits cost
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
    level="warning",
)


def report(suppression: Suppression) -> Diagnostic:
    """The comment silences no finding."""
    if is_always_error(suppression.code):
        return RULE.at(
            suppression.span,
            f"{suppression.code} can't be ignored",
            help="it is always an error: correct what it says, and remove the comment",
        )
    return RULE.at(suppression.span, f"no {suppression.code} here to ignore", help="remove the comment")
