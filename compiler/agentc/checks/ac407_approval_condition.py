"""AC407: approval condition on an argument that does not exist or never varies."""

from collections.abc import Iterator

from agentc_runtime.quoting import shown

from ..diagnostics import Diagnostic, Note, Rule, did_you_mean
from ..program import Program
from .grants import declared_grants

RULE = Rule(
    code="AC407",
    name="approval-condition",
    title="approval condition on an argument that does not exist or never varies",
    why=(
        "A condition on an argument that the tool does not have, or that always has the same value, "
        "asks a person always or never, and not when it was meant to."
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
      approval: { by: [leads], when: { amout: { exclusiveMinimum: 20 } } }  # <- AC407
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
      approval: { by: [leads], when: { amount: { exclusiveMinimum: 20 } } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Conditions of approvals on unknown arguments, and on arguments that are bound to a constant."""
    for grant in declared_grants(program):
        arguments, approval = grant.arguments(), grant.spec.approval
        if arguments is None or approval is None:
            continue
        for name in approval.when or {}:
            span = grant.span("approval", "when", name, key=True)
            if name not in arguments:
                yield RULE.at(
                    span,
                    f"`{grant.tool.name}` has no argument `{name}`",
                    help=did_you_mean(name, arguments),
                    notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
                )
            elif (bound := grant.constant(name)) is not None:
                yield RULE.at(
                    span,
                    f"argument `{name}` is bound to `{shown(bound.value)}`: the answer never varies",
                    help="drop `when` to ask always, or make the condition about an argument that varies",
                    notes=(Note("bound here", grant.span("bind", name, key=True)),),
                )
