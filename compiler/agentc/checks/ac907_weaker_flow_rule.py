"""AC907: a call after untrusted content that was stopped."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC907",
    name="weaker-flow-rule",
    title="a call after untrusted content that was stopped",
    why=(
        "The flow rule decides what becomes of an effect after the agent has read what anybody may have "
        "written. `allow` is wider than `approve`, and that is wider than `deny`; an exception in `unless` is "
        "wider than none."
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
      bind: { ticket_id: "${input.ticket_id}" }
  flows: { untrusted_to_effect: approve }  # <- AC907
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
      bind: { ticket_id: "${input.ticket_id}" }
  flows: { untrusted_to_effect: deny }
""",
)
