"""AC908: a value from a place that it could not come from."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC908",
    name="more-origins",
    title="a value from a place that it could not come from",
    why=(
        "`from` says where a value has to stand. A place more is a way more for a value that somebody else "
        "wrote, and so is a destination that is no longer declared as one."
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
      where: { amount: { maximum: 50 }, currency: { from: [input, session] } }  # <- AC908
      bind: { ticket_id: "${input.ticket_id}" }
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
      where: { amount: { maximum: 50 }, currency: { from: [input] } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)
