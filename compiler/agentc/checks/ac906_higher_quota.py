"""AC906: more calls than before."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC906",
    name="higher-quota",
    title="more calls than before",
    why=("A quota, a rate or a bound on pages was taken away or is higher."),
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
      quota: { per_run: 5 }  # <- AC906
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
      quota: { per_run: 1 }
""",
)
