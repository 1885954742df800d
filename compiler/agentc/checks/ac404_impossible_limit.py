"""AC404: limit that nothing can satisfy."""

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostic, Note, Rule
from ..predicates import check_schema, contradiction
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
      where: { amount: { enum: ["20", "50"] } }  # <- AC404
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
      where: { amount: { enum: [20, 50] } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Limits and conditions of approvals that no value of their argument satisfies."""
    for grant in declared_grants(program):
        conditions = (grant.spec.approval.when if grant.spec.approval else None) or {}
        yield from _impossible(grant, grant.spec.where, ("where",), "every call is refused")
        yield from _impossible(grant, conditions, ("approval", "when"), "nobody is ever asked")
        path = ("untrusted_to_effect", "unless")
        yield from _impossible(grant, grant.unless(), path, "no call passes by this exception")


def _impossible(
    grant: DeclaredGrant, limits: Mapping[str, Mapping[str, object]], path: tuple[Step, ...], so: str
) -> Iterator[Diagnostic]:
    for name, limit in limits.items():
        own = grant.argument(name)
        node = grant.permission_set.at("grants", grant.index, *path, name)
        if own is None or node is None or check_schema(node, references=False, origins=path[0] != "approval"):
            continue  # AC301, AC302 and AC303 say what is wrong with the limit by itself
        reason = contradiction(own, dict(limit))
        if reason is not None:
            yield RULE.at(
                grant.span(*path, name, key=True),
                f"no value of `{name}` satisfies this, so {so}: {reason}",
                help="correct the limit, or remove the grant if nothing is meant to be allowed",
                notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
            )
