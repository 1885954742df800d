"""AC203: unknown permission set."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC203",
    name="unknown-permission-set",
    title="unknown permission set",
    why=("An agent has exactly the grants of the permission sets that it names."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage, refunds]  # <- AC203
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


_NONE = "the project has no permission set: add a resource of kind `PermissionSet`"


def check(program: Program) -> Iterator[Diagnostic]:
    """Permission sets that agents name and that are not there."""
    for agent in program.agents.values():
        for index, name in enumerate(agent.spec.permissions):
            if name not in program.permission_sets and not program.broken.hides("PermissionSet", name):
                yield RULE.at(
                    agent.span("permissions", index),
                    f"unknown permission set `{name}`",
                    help=did_you_mean(name, program.permission_sets) or _NONE,
                )
