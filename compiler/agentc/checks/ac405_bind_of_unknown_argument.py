"""AC405: bound argument that the tool does not have."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, did_you_mean
from ..program import Program
from .grants import declared_grants

RULE = Rule(
    code="AC405",
    name="bind-of-unknown-argument",
    title="bound argument that the tool does not have",
    why=(
        "A bound argument takes a choice away from the model. Bound under a wrong name, the model "
        "keeps the choice."
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
      bind: { ticket: "${input.ticket_id}" }  # <- AC405
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
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Bound arguments that the operation does not have."""
    for grant in declared_grants(program):
        arguments = grant.arguments()
        if arguments is None:
            continue
        for name in grant.spec.bind:
            if name not in arguments:
                yield RULE.at(
                    grant.span("bind", name, key=True),
                    f"`{grant.tool.name}` has no argument `{name}`",
                    help=did_you_mean(name, arguments),
                    notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
                )
