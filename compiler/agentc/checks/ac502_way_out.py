"""AC502: private data, untrusted content and a way out in one state."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import leaks, policy_span, sources, tool_span, untrusted
from ..program import Program
from ..syntax.workflow import AgentStateSpec

RULE = Rule(
    code="AC502",
    name="way-out",
    title="private data, untrusted content and a way out in one state",
    why=(
        "A model loop that holds private data, reads what strangers write, and can send, can be told "
        "to send the data to them. One of the three has to go, or a person has to agree."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: confidential } }
    refund: { operation: createRefund, effect: send }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC502
      where: { amount: { maximum: 50 } }
  flows:
    untrusted_to_effect: { policy: allow, reason: only small amounts }
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: confidential } }
    refund: { operation: createRefund, effect: send }
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
    """Model loops that hold all three, with the first way out that nobody is asked about."""
    for agent in program.agents.values():
        read = sources(agent)
        for name, state in agent.states.items():
            if not isinstance(state.spec, AgentStateSpec):
                continue
            found = leaks(state, read[name])
            if not found:
                continue
            private, grant = found[0]
            stranger = untrusted(state, read[name])[0]
            sensitivity = private.origin.label.sensitivity
            yield RULE.at(
                tool_span(agent, state, grant),
                f"in state `{name}` {sensitivity} data of {private} can leave by `{grant.tool.name}`: untrusted "
                f"content of {stranger} can ask for it, and nobody is asked",
                help="ask a person with `approval`, set `untrusted_to_effect: approve`, or split the state",
                notes=(
                    Note("the policy allows it here", policy_span(grant)),
                    Note(f"{sensitivity}: {private}", private.span),
                    Note(f"untrusted: {stranger}", stranger.span),
                ),
            )
