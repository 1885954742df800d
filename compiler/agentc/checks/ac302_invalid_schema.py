"""AC302: invalid JSON Schema."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC302",
    name="invalid-schema",
    title="invalid JSON Schema",
    why=(
        "A keyword with a value that it does not take, or bounds that contradict each other, "
        "accept everything or nothing."
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
      where: { amount: { maximum: "50" } }  # <- AC302
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
)
