"""AC411: unknown approver group."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC411",
    name="unknown-approver-group",
    title="unknown approver group",
    why=(
        "An approval that nobody can give refuses every call, and a misspelled group may one day be "
        "somebody else's."
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
      approval: { by: [lead] }  # <- AC411
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
      approval: { by: [leads] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Groups in `approval.by` that the project does not have."""
    if program.project is None:
        return
    groups = program.project.spec.approvers
    for permission_set in program.permission_sets.values():
        for index, grant in enumerate(permission_set.spec.grants):
            for place, group in enumerate(grant.approval.by if grant.approval else ()):
                if group not in groups:
                    yield RULE.at(
                        permission_set.span("grants", index, "approval", "by", place),
                        f"the project has no approver group `{group}`",
                        help=did_you_mean(group, groups) or "add it to the project's `approvers`",
                    )
