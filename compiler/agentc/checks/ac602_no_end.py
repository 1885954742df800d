"""AC602: workflow without an end."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..graph import workflow_graph
from ..program import Program

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
        if not workflow_graph(agent).ends:
            yield RULE.at(
                agent.span("workflow", "states", key=True),
                f"the workflow of agent `{agent.resource.name}` has no `end` state",
                help='add a state such as `done: { type: end, output: "${states.NAME.output}" }`',
            )
