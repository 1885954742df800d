"""AC408: effect without any limit."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from .grants import declared_grants

RULE = Rule(
    code="AC408",
    name="effect-without-limit",
    title="effect without any limit",
    why=(
        "What deletes, or moves data or money out, is what an attacker wants most. Unlimited, it can "
        "be used with any value, any number of times, by a model that was talked into it."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC408
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
      quota: { per_run: 1 }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Grants of deleting and sending tools that neither limit, nor ask, nor count."""
    for grant in declared_grants(program):
        spec, effect = grant.spec, grant.tool.spec.effect
        if effect not in ("delete", "send") or spec.where or spec.approval or spec.quota:
            continue
        arguments = grant.arguments()
        if arguments and arguments <= set(spec.bind):
            continue  # nothing is left for the model to choose
        yield RULE.at(
            grant.span("tool"),
            f"`{grant.tool.name}` can `{effect}` without any limit",
            help="limit its arguments with `where`, ask a person with `approval`, or count it with `quota`",
            notes=(Note("its effect is declared here", grant.tool.span("effect")),),
        )
