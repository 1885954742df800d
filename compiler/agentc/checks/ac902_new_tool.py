"""AC902: a tool that could not be called."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC902",
    name="new-tool",
    title="a tool that could not be called",
    why=(
        "The agent may call an operation of a service that it could not call. What counts is that a state may "
        "call it under a grant, whatever the grant is called."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC902
      where: { amount: { maximum: 50 } }
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
""",
)
