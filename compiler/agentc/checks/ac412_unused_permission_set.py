"""AC412: permission set that no agent uses."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from .grants import agents_known

RULE = Rule(
    code="AC412",
    name="unused-permission-set",
    title="permission set that no agent uses",
    why=(
        "Permissions that nobody has are read by nobody, and one day somebody adds them to an agent unread."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
---
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: spare, version: 1.0.0, owner: support }  # <- AC412
spec:
  grants:
    - tool: desk.get_ticket
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Permission sets that no agent names, and no assertion. A project without agents has users elsewhere."""
    if not agents_known(program):
        return
    used = {name for agent in program.agents.values() for name in agent.spec.permissions}
    used |= {asserted.spec.at_most for asserted in program.assertion_sets.values() if asserted.spec.at_most}
    for name, permission_set in program.permission_sets.items():
        if name not in used:
            yield RULE.at(
                permission_set.name_span(),
                f"no agent has the permissions of `{name}`",
                help="remove the permission set, or name it in the `permissions` of an agent",
            )
