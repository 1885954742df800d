"""AC106: a tag."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC106",
    name="tag",
    title="tag",
    why="A tag gives a value another type than its text shows, and in some readers runs code.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: !!str support }  # <- AC106
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
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
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def report(span: Span, tag: str) -> Diagnostic:
    """`tag`, as written, stands at `span`."""
    return RULE.at(span, f"tag `{tag}`", help="delete the tag; quote the value if it is text")


def report_directive(span: Span) -> Diagnostic:
    """A `%TAG` directive stands at `span`."""
    return RULE.at(span, "a `%TAG` directive", help="delete the directive")
