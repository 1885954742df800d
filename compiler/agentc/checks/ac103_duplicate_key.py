"""AC103: the same key twice in one mapping."""

from ..diagnostics import Diagnostic, Note, Rule, Span

RULE = Rule(
    code="AC103",
    name="duplicate-key",
    title="duplicate key",
    why="Most YAML readers keep the last one silently, so a second `where` widens a grant behind the first.",
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
      where: { amount: { maximum: 9000 } }  # <- AC103
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


def report(span: Span, key: str, first: Span) -> Diagnostic:
    """`key` at `span` stands at `first` already."""
    return RULE.at(
        span,
        f"duplicate key `{key}`",
        help="keep one of the two",
        notes=(Note("first one here", first),),
    )
