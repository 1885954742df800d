"""AC107: a character that makes text look other than it is."""

import unicodedata

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC107",
    name="deceptive-character",
    title="control, bidirectional or invisible character",
    why="Such a character shows the reviewer other text than the compiler reads: a reordered limit, two keys "
    "that look alike, a hidden instruction. In a quoted value the visible escape "
    "(`\\u202e`) is admitted.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support, description: "no \u202erefunds" }  # <- AC107
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
metadata: { name: triage, version: 1.0.0, owner: support, description: "no refunds" }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def report(span: Span, character: str, *, key: bool = False) -> Diagnostic:
    """`character` is at `span`; with `key`, in the key at `span`."""
    name = unicodedata.name(character, "control character").lower()
    shown = f"`U+{ord(character):04X}` ({name})"
    if key:
        return RULE.at(span, f"the key holds {shown}, which can't be seen", help="write the key without it")
    return RULE.at(span, f"{shown} is not allowed", help="delete it")
