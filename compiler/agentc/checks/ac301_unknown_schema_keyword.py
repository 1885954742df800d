"""AC301: keyword outside the JSON Schema subset."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC301",
    name="unknown-schema-keyword",
    title="keyword outside the JSON Schema subset",
    why=(
        "Limits are compared and decided by the compiler, so only keywords that it "
        "understands are admitted. A validator that ignores a misspelled `maximun` would "
        "grant everything."
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
      where: { amount: { maximun: 50 } }  # <- AC301
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
