"""AC212: malformed reference."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Program
from ..references import Reference, parse_reference
from ..stepping import endpoints

RULE = Rule(
    code="AC212",
    name="invalid-reference",
    title="malformed reference",
    why=(
        "A reference is a whole value of the form `${root.path}`. Text with values in it is a "
        "template, and a reference inside other text would have to be rendered like one."
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
      bind: { ticket_id: "T-${input.ticket_id}" }  # <- AC212
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
      bind: { ticket_id: "${input.ticket_id}" }
      where: { amount: { maximum: 50 } }
""",
)


def report(span: Span, message: str, help_: str | None) -> Diagnostic:
    """The text at `span` is not a reference."""
    return RULE.at(span, message, help=help_)


def check(program: Program) -> Iterator[Diagnostic]:
    """Malformed references in servers and model URLs; those in expressions are found when they are compiled."""
    for resource, path, text in endpoints(program):
        reference = parse_reference(text)
        if "${" in text and not (isinstance(reference, Reference) and reference.root == "env"):
            yield report(
                resource.span(*path),
                f"`{text}` is not a URL and not a variable",
                "write a URL, or `${env.NAME}` and nothing else",
            )
