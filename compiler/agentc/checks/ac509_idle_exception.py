"""AC509: exception to a flow rule that never asks."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from .grants import declared_grants

RULE = Rule(
    code="AC509",
    name="idle-exception",
    title="exception to a flow rule that never asks",
    why=(
        "`unless` names the calls that pass although untrusted content was read. "
        "With the policy `allow` all of them do, so what looks like a limit limits nothing."
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
      untrusted_to_effect:
        policy: allow
        reason: only small amounts
        unless: { amount: { maximum: 5 } }  # <- AC509
      approval: { by: [leads] }
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
      untrusted_to_effect: { policy: allow, reason: only small amounts }
      approval: { by: [leads] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Exceptions under the policy `allow`."""
    for grant in declared_grants(program):
        flow = grant.spec.untrusted_to_effect
        if flow is not None and flow.policy == "allow" and flow.unless is not None:
            yield RULE.at(
                grant.span("untrusted_to_effect", "unless", key=True),
                f"the grant of `{grant.tool.name}` allows all calls, so `unless` says nothing",
                help="set `policy: approve`, or remove `unless`",
            )
