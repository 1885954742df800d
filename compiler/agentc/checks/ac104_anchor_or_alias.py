"""AC104: an anchor or an alias."""

from ..diagnostics import Diagnostic, Note, Rule, Span

RULE = Rule(
    code="AC104",
    name="anchor-or-alias",
    title="anchor or alias",
    why="What an alias grants stands somewhere else in the file, and a few of them make a document of any "
    "size. A spec says each thing where it holds.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: &team support, description: *team }  # <- AC104
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
metadata: { name: triage, version: 1.0.0, owner: support, description: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)
_SHOWN = 8


def report_anchor(span: Span, name: str, aliases: list[Span]) -> Diagnostic:
    """The anchor `name` is set at `span` and used at `aliases`."""
    notes = [Note("used here", alias) for alias in aliases[:_SHOWN]]
    if len(aliases) > _SHOWN:
        notes.append(Note(f"and {len(aliases) - _SHOWN} times more"))
    return RULE.at(
        span,
        f"anchor `&{name}`",
        help="write the value out where it is used" if aliases else "delete the anchor",
        notes=tuple(notes),
    )


def report_alias(span: Span, name: str) -> Diagnostic:
    """The alias at `span` names no anchor before it."""
    return RULE.at(
        span,
        f"alias `*{name}` of an anchor that does not exist",
        help="quote the value if it is text, or write the value out",
    )
