"""AC804: agent without a limit on cost or tokens."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..stepping import used_models

RULE = Rule(
    code="AC804",
    name="no-spending-limit",
    title="agent without a limit on cost or tokens",
    why=("A model that is talked into a loop spends until the time limit ends it."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }  # <- AC804
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
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


def check(program: Program) -> Iterator[Diagnostic]:
    """Agents that call models and limit neither cost nor tokens."""
    for agent in program.agents.values():
        limits = agent.spec.limits
        if limits.cost_usd is None and limits.tokens is None and used_models(agent):
            span = (
                agent.span("limits", key=True)
                if "limits" in agent.spec.model_fields_set
                else agent.resource.name_span()
            )
            yield RULE.at(
                span,
                f"agent `{agent.resource.name}` has no limit on cost or tokens",
                help="add `limits: { cost_usd: … }` or `limits: { tokens: … }`",
            )
