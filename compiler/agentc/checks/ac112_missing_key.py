"""AC112: a key that must be there."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC112",
    name="missing-key",
    title="missing key",
    why="The language has no default for this key, because every default would be a guess.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0 }  # <- AC112
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
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


def report(span: Span, key: str, owner: str) -> Diagnostic:
    """`owner`, the thing at `span`, lacks `key`."""
    return RULE.at(span, f"{owner} has no `{key}`", help=f"add `{key}:`")
