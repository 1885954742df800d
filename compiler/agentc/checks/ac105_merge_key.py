"""AC105: a merge key."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC105",
    name="merge-key",
    title="merge key",
    why="`<<` brings keys into a grant that a reviewer does not see there. YAML 1.2 dropped it, "
    "so readers disagree on what the document says.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      <<: { where: { amount: { maximum: 50 } } }  # <- AC105
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


def report(span: Span) -> Diagnostic:
    """The key at `span` is `<<`."""
    return RULE.at(span, "merge key `<<`", help="write the merged keys out")
