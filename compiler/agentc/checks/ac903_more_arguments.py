"""AC903: a call with arguments that were refused."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC903",
    name="more-arguments",
    title="a call with arguments that were refused",
    why=(
        "A limit was taken away or loosened, a bound argument can be set by the model or comes from "
        "elsewhere, or the API document admits more. The call that is shown is refused by the one version and "
        "not by the other. What can't be decided counts as well."
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
      where: { amount: { maximum: 80 } }  # <- AC903
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
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)
