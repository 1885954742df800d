"""AC409: tool granted twice."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..program import Program

RULE = Rule(
    code="AC409",
    name="granted-twice",
    title="tool granted twice",
    why=(
        "Two grants of one tool would have to be combined, and every way to combine them surprises "
        "somebody: the limits that a reviewer reads must be the limits that hold."
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
      where: { amount: { maximum: 50 } }
    - tool: desk.refund  # <- AC409
      where: { amount: { maximum: 500 } }
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
    """The second grant of a tool to one agent, once however many agents it concerns."""
    reported: set[Span] = set()
    for agent in program.agents.values():
        for second, first in agent.duplicate_grants:
            span = second.span("tool")
            if span in reported:
                continue
            reported.add(span)
            yield RULE.at(
                span,
                f"agent `{agent.resource.name}` is granted `{second.tool.name}` twice",
                help="keep one grant, with the limits that are meant",
                notes=(Note("first granted here", first.span("tool")),),
            )
