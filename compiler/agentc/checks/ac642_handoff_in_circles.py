"""AC642: hand-off that leads back, or to too many agents."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..handoffs import MAX_AGENTS
from ..program import Program
from ..syntax.workflow import HandoffStateSpec

RULE = Rule(
    code="AC642",
    name="handoff-in-circles",
    title="hand-off that leads back, or to too many agents",
    why=(
        "A bundle holds every agent that is handed off to, whole. One that leads back to itself "
        "would have no end, and so would its runs."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string }, ids: { type: array, items: { type: string } } }
      required: [ticket_id, ids]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: work
    states:
      work: { type: handoff, agent: triage, input: { ticket_id: "${input.ticket_id}", ids: "${input.ids}" }, next: read }  # <- AC642
      read: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string }, ids: { type: array, items: { type: string } } }
      required: [ticket_id, ids]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: work
    states:
      work: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Hand-offs to agents that exist and could not be put into the bundle."""
    for agent in program.agents.values():
        for state in agent.states.values():
            spec = state.spec
            if isinstance(spec, HandoffStateSpec) and state.handoff is None and spec.agent in program.agents:
                yield RULE.at(
                    agent.span(*state.path, "agent"),
                    f"agent `{spec.agent}` leads back to `{agent.resource.name}`, or makes it more than "
                    f"{MAX_AGENTS} agents",
                    help="use a `choice` to go round inside one agent, or hand off to fewer",
                )
