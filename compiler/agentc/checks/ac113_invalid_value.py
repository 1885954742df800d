"""AC113: a value of the wrong type or out of its range."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC113",
    name="invalid-value",
    title="invalid value",
    why="A value that is not what its key takes would have to be guessed at. Nothing is converted silently.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      quota: { per_run: "one" }  # <- AC113
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
      quota: { per_run: 1 }
""",
)


def report(span: Span, message: str, help_: str | None = None) -> Diagnostic:
    """The value at `span` is not what its key takes."""
    return RULE.at(span, message, help=help_)
