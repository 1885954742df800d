"""AC205: unknown state."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..stepping import Path, transitions

RULE = Rule(
    code="AC205",
    name="unknown-state",
    title="unknown state",
    why=("A transition to a state that does not exist would end the run in the middle."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: main
    states:
      main: { type: agent, tools: [desk.get_ticket, desk.refund], next: doen }  # <- AC205
      done: { type: end, output: "${states.main.output}" }
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: main
    states:
      main: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
      done: { type: end, output: "${states.main.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """States that a workflow names and does not have."""
    for agent in program.agents.values():
        if agent.spec.workflow is None:
            continue
        named: list[tuple[str, Path]] = [(agent.start, ("workflow", "start"))]
        named += [
            (name, (*state.path, *path))
            for state in agent.states.values()
            for name, path in transitions(state.spec)
        ]
        for name, path in named:
            if name not in agent.states:
                yield RULE.at(
                    agent.span(*path), f"unknown state `{name}`", help=did_you_mean(name, agent.states)
                )
