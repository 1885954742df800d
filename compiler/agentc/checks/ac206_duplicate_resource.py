"""AC206: two resources of one name."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program

RULE = Rule(
    code="AC206",
    name="duplicate-resource",
    title="two resources of one name",
    why=(
        "Which of the two is meant would depend on the order of files. A project also has one `Project` only."
    ),
    bad="""\
# file: second.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 2.0.0, owner: support }  # <- AC206
spec:
  grants:
    - tool: desk.get_ticket
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


def check(program: Program) -> Iterator[Diagnostic]:
    """Every resource but the first of its kind and name."""
    for second, first in program.duplicates:
        both = f"`{second.kind}` named `{second.name}`" if second.name == first.name else "`Project`"
        yield RULE.at(
            second.name_span(),
            f"a second {both}",
            help="give it another name, or merge the two",
            notes=(Note("the first one is here", first.name_span()),),
        )
