"""AC403: limit of an argument that the tool does not have."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, did_you_mean
from ..program import Program
from ..resources import Step
from .grants import declared_grants

RULE = Rule(
    code="AC403",
    name="limit-of-unknown-argument",
    title="limit of an argument that the tool does not have",
    why=(
        "A limit of a misspelled argument limits nothing, and every call would be refused for the "
        "argument that is missing."
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
      where: { ammount: { maximum: 50 } }  # <- AC403
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
    """Limits whose argument the operation does not have."""
    for grant in declared_grants(program):
        arguments = grant.arguments()
        if arguments is None:
            continue
        named: list[tuple[Step, ...]] = [("where", name) for name in grant.spec.where]
        named += [("untrusted_to_effect", "unless", name) for name in grant.unless()]
        for path in named:
            name = str(path[-1])
            if name not in arguments:
                yield RULE.at(
                    grant.span(*path, key=True),
                    f"`{grant.tool.name}` has no argument `{name}`",
                    help=did_you_mean(name, arguments),
                    notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
                )
