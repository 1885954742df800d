"""AC913: a tool in a state that could not call it."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC913",
    name="new-state-for-tool",
    title="a tool in a state that could not call it",
    why=("A state reads what the ones before it do not. A tool in reach of it is in reach of that."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: look
    states:
      look: { type: agent, prompt: Look., tools: [desk.get_ticket, desk.refund], turns: 2, next: act }  # <- AC913
      act: { type: agent, prompt: Act., tools: [desk.refund], turns: 2, next: done }
      done: { type: end, output: "${states.act.output}" }
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
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: look
    states:
      look: { type: agent, prompt: Look., tools: [desk.get_ticket], turns: 2, next: act }
      act: { type: agent, prompt: Act., tools: [desk.refund], turns: 2, next: done }
      done: { type: end, output: "${states.act.output}" }
""",
)
