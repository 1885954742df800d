"""AC615: more branches to wait for than there are."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.workflow import ParallelStateSpec

RULE = Rule(
    code="AC615",
    name="wait-for-too-many",
    title="more branches to wait for than there are",
    why=("The state could never succeed."),
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
        wait: 3  # <- AC615
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
        wait: 2
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
    """`wait` above the number of branches."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            spec = state.spec
            if (
                isinstance(spec, ParallelStateSpec)
                and isinstance(spec.wait, int)
                and spec.wait > len(spec.branches)
            ):
                yield RULE.at(
                    agent.span(*state.path, "wait"),
                    f"state `{name}` waits for {spec.wait} branches and has {len(spec.branches)}",
                    help="write `all`, or a smaller number",
                )
