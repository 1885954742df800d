"""AC505: exception that lets untrusted content choose a destination."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from .grants import declared_grants, settles

RULE = Rule(
    code="AC505",
    name="open-destination",
    title="exception that lets untrusted content choose a destination",
    why=(
        "`unless` lets a call pass without a question after hostile text was read. "
        "If that text may choose where the call goes, it gets whatever the agent can send."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, destinations: [ticket_id] }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }
      untrusted_to_effect:
        policy: approve
        unless: { amount: { maximum: 50 }, ticket_id: { maxLength: 20 } }  # <- AC505
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, destinations: [ticket_id] }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }
      untrusted_to_effect:
        policy: approve
        unless: { amount: { maximum: 50 }, ticket_id: { from: [input, session] } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Exceptions that name a destination without `from`, `const` or `enum`."""
    for grant in declared_grants(program):
        for name, limit in grant.unless().items():
            if name in grant.tool.spec.destinations and not grant.is_settled(name) and not settles(limit):
                yield RULE.at(
                    grant.span("untrusted_to_effect", "unless", name, key=True),
                    f"untrusted content may choose `{name}` of `{grant.tool.name}`, and nobody is asked",
                    help="say where the value comes from, such as `from: [input, session]`, or list the values",
                    notes=(Note("it is declared as a destination here", grant.tool.span("destinations")),),
                )
