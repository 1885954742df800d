"""AC612: way out of a branch."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from ..stepping import starts, transitions

RULE = Rule(
    code="AC612",
    name="branch-left",
    title="way out of a branch",
    why=(
        "A branch is a workflow of its own, over at one of its ends. What goes on elsewhere "
        "would be part of two workflows, and nobody could wait for it."
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
              first: { type: agent, tools: [desk.get_ticket], next: pay }  # <- AC612
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
    """Names of following states that are not part of the same workflow."""
    for agent in program.agents.values():
        if agent.twice:
            continue  # which of the two was meant is not known
        for state in agent.states.values():
            followers = [(target, state.inside, path) for target, path in transitions(state.spec)]
            followers += [(target, (state.name, branch), path) for branch, target, path in starts(state.spec)]
            for target, inside, path in followers:
                if target in agent.states and agent.states[target].inside != inside:
                    yield RULE.at(
                        agent.span(*state.path, *path),
                        f"state `{target}` is not part of {_named(inside)}",
                        help="end the branch with an `end`, and go on from the state around it",
                        notes=(Note(f"it is part of {_named(agent.states[target].inside)}"),),
                    )
        if agent.start in agent.states and agent.states[agent.start].inside is not None:
            yield RULE.at(
                agent.span("workflow", "start"),
                f"the workflow can't start inside {_named(agent.states[agent.start].inside)}",
                help="start with a state of the workflow itself",
            )


def _named(inside: tuple[str, str] | None) -> str:
    if inside is None:
        return "the agent's own workflow"
    state, branch = inside
    return f"branch `{branch}` of state `{state}`" if branch else f"the map `{state}`"
