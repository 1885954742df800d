"""AC643: unknown agent."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..syntax.workflow import HandoffStateSpec

RULE = Rule(
    code="AC643",
    name="unknown-agent",
    title="unknown agent",
    why=("A `handoff` names an agent of the project."),
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
      work: { type: handoff, agent: raeder, input: { ticket_id: "${input.ticket_id}" }, next: pay }  # <- AC643
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
    """Hand-offs to agents that the project does not have."""
    for agent in program.agents.values():
        for state in agent.states.values():
            spec = state.spec
            if not isinstance(spec, HandoffStateSpec) or spec.agent in program.agents:
                continue
            if not program.broken.hides("Agent", spec.agent):
                yield RULE.at(
                    agent.span(*state.path, "agent"),
                    f"unknown agent `{spec.agent}`",
                    help=did_you_mean(spec.agent, program.agents.keys() - {agent.resource.name}),
                )
