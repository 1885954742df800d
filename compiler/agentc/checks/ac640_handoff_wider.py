"""AC640: agent that may do more than its caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from agentc_runtime.workflow import HandoffState

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program

if TYPE_CHECKING:
    from ..lowered import Lowered

RULE = Rule(
    code="AC640",
    name="handoff-wider",
    title="agent that may do more than its caller",
    why=(
        "What an agent does for another is done in that one's name. A hand-off that gains "
        "permissions would be a way around every limit that the reviewer of the caller has "
        "read."
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
      work: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay, catch: [{ next: sorry }] }  # <- AC640
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
      sorry: { type: end, output: a person has to look at it }
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
    - tool: desk.refund
      where: { amount: { maximum: 500 } }
      bind: { ticket_id: "${input.ticket_id}" }
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
      work: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay, catch: [{ next: sorry }] }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
      sorry: { type: end, output: a person has to look at it }
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
    - tool: desk.refund
      where: { amount: { maximum: 20 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Hand-offs to agents with a grant that is not inside one of their caller's."""
    from ..access import gains
    from ..handed_grants import as_given

    for caller in agents.values():
        for name, state in caller.agent.states.items():
            inner = agents.get(state.handoff.resource.name) if state.handoff is not None else None
            handing = caller.program.states[name]
            if inner is None or not isinstance(handing, HandoffState):
                continue
            for tool, access in inner.accesses.items():
                if tool in inner.misstated or tool in caller.misstated:
                    continue
                mine = caller.accesses.get(tool)
                gained = ["may be called"]
                if mine is not None:
                    handed = as_given(mine, access, handing)
                    gained = [gain.what for gain in gains(mine, handed, inner.program)]
                if gained:
                    grant = inner.agent.grants[tool]
                    notes = [Note(f"`{tool}` {what}") for what in gained[1:4]]
                    if mine is not None:
                        notes.append(Note("its caller's grant", caller.agent.grants[tool].span("tool")))
                    yield RULE.at(
                        caller.agent.span(*state.path, key=True),
                        f"state `{name}` hands off to `{inner.name}`, which may do more than "
                        f"`{caller.name}`: `{tool}` {gained[0]}",
                        help=f"narrow the grant of `{inner.name}`, or grant `{caller.name}` as much",
                        notes=(*notes, Note(f"the grant of `{inner.name}`", grant.span("tool"))),
                    )
