"""AC102: a file that is not UTF-8."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC102",
    name="not-utf8",
    title="file is not UTF-8",
    why="In another encoding the same bytes are other text to the reviewer, the editor and the compiler. "
    "In the example, `\\xff` stands for the byte 0xff.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support, description: "caf\\xff" }  # <- AC102
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
metadata: { name: triage, version: 1.0.0, owner: support, description: "café" }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def report(span: Span, byte: int, offset: int, *, utf16: bool = False) -> Diagnostic:
    """The byte at `offset` (from 0) is not UTF-8; with `utf16`, the file's first bytes are a UTF-16 mark."""
    message = (
        "the file is UTF-16, not UTF-8" if utf16 else f"byte {byte:#04x} at offset {offset} is not UTF-8"
    )
    return RULE.at(span, message, help="save the file as UTF-8")
