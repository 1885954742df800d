"""AC610: two states of one name."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program

RULE = Rule(
    code="AC610",
    name="state-name-twice",
    title="two states of one name",
    why=(
        "A state is read, drawn and recorded by its name alone. Two of one name, in two "
        "branches or in a branch and around it, could not be told apart."
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
      work:
        type: parallel
        branches:
          one:
            start: first
            states:
              first: { type: agent, tools: [desk.get_ticket], next: one_end }
              one_end: { type: end, output: "${states.first.output}" }
          two:
            start: first
            states:
              first: { type: model, prompt: Guess., next: two_end }  # <- AC610
              two_end: { type: end, output: "${states.first.output}" }
        next: pay
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
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
      work:
        type: parallel
        branches:
          one:
            start: first
            states:
              first: { type: agent, tools: [desk.get_ticket], next: one_end }
              one_end: { type: end, output: "${states.first.output}" }
          two:
            start: second
            states:
              second: { type: model, prompt: Guess., next: two_end }
              two_end: { type: end, output: "${states.second.output}" }
        next: pay
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """States in branches whose names other states of the agent have."""
    for agent in program.agents.values():
        for path in agent.twice:
            name = str(path[-1])
            yield RULE.at(
                agent.span(*path, key=True),
                f"agent `{agent.resource.name}` has another state `{name}`",
                help="give it a name that no other state of the agent has, in no branch",
                notes=(Note("the other one", agent.span(*agent.states[name].path, key=True)),),
            )
