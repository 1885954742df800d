"""AC602: workflow without an end."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.workflow import EndStateSpec, bodies

RULE = Rule(
    code="AC602",
    name="no-end",
    title="workflow without an end",
    why=(
        "A run is over when it enters an `end` state. From a workflow that has none no end can be "
        "reached, and every run stops at a limit, without a result."
    ),
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
    start: work
    states:  # <- AC602
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: work }
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
    start: work
    states:
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
      done: { type: end, output: "${states.work.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Workflows in which no state is an end."""
    for agent in program.agents.values():
        ends = {state.inside for state in agent.states.values() if isinstance(state.spec, EndStateSpec)}
        for name, state in agent.states.items():
            for branch, path, _ in bodies(state.spec):
                if (name, branch) not in ends:
                    yield RULE.at(
                        agent.span(*state.path, *path, "states", key=True),
                        f"{f'branch `{branch}`' if branch else 'the workflow'} of state `{name}` has no `end` state",
                        help='add a state such as `over: { type: end, output: "${states.NAME.output}" }`',
                    )
        if None not in ends:
            yield RULE.at(
                agent.span("workflow", "states", key=True),
                f"the workflow of agent `{agent.resource.name}` has no `end` state",
                help='add a state such as `done: { type: end, output: "${states.NAME.output}" }`',
            )
