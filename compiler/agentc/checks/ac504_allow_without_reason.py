"""AC504: flow allowed without a reason."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Program
from ..syntax.permissions import FlowSpec
from .grants import declared_grants

RULE = Rule(
    code="AC504",
    name="allow-without-reason",
    title="flow allowed without a reason",
    why=(
        "`allow` lets untrusted content cause effects. A reviewer can only agree to that knowing why "
        "it is safe."
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
      approval: { by: [leads] }
  flows:
    untrusted_to_effect: { policy: allow }  # <- AC504
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
  flows:
    untrusted_to_effect: { policy: allow, reason: every refund is approved }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Flow policies that are `allow` and don't say why."""
    for permission_set in program.permission_sets.values():
        name = f"permission set `{permission_set.name}`"
        flow = permission_set.spec.flows.untrusted_to_effect
        yield from _unreasoned(flow, permission_set.span("flows", "untrusted_to_effect", "policy"), name)
    for grant in declared_grants(program):
        own = grant.spec.untrusted_to_effect
        if own is not None:
            place = grant.span("untrusted_to_effect", "policy")
            yield from _unreasoned(own, place, f"the grant of `{grant.tool.name}`")


def _unreasoned(flow: FlowSpec, place: Span, who: str) -> Iterator[Diagnostic]:
    if flow.policy == "allow" and flow.reason is None:
        yield RULE.at(
            place,
            f"{who} allows untrusted content to cause effects, without a reason",
            help="write `{ policy: allow, reason: … }`, or `approve` to ask a person",
        )
