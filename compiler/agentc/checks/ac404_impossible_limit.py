"""AC404: limit that nothing can satisfy."""

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostic, Note, Rule
from ..predicates import contradiction
from ..program import Program
from ..resources import Step
from .grants import DeclaredGrant, declared_grants

RULE = Rule(
    code="AC404",
    name="impossible-limit",
    title="limit that nothing can satisfy",
    why=(
        "A limit without any value inside refuses every call, and an approval with such a condition "
        "is never asked. Both were meant to be something else."
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
      where: { amount: { minimum: 50, maximum: 5 } }  # <- AC404
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
      where: { amount: { minimum: 5, maximum: 50 } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Limits and conditions of approvals that no value of their argument satisfies."""
    for grant in declared_grants(program):
        conditions = (grant.spec.approval.when if grant.spec.approval else None) or {}
        yield from _impossible(grant, grant.spec.where, ("where",), "every call is refused")
        yield from _impossible(grant, conditions, ("approval", "when"), "nobody is ever asked")


def _impossible(
    grant: DeclaredGrant, limits: Mapping[str, Mapping[str, object]], path: tuple[Step, ...], so: str
) -> Iterator[Diagnostic]:
    for name, limit in limits.items():
        own = grant.argument(name)
        reason = contradiction(own, dict(limit)) if own is not None else None
        if reason is not None:
            yield RULE.at(
                grant.span(*path, name, key=True),
                f"no value of `{name}` satisfies this, so {so}: {reason}",
                help="correct the limit, or remove the grant if nothing is meant to be allowed",
                notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
            )
