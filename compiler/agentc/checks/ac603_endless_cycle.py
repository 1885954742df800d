"""AC603: cycle that nothing leads out of."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..graph import endless_cycles, workflow_graph
from ..program import Program

RULE = Rule(
    code="AC603",
    name="endless-cycle",
    title="cycle that nothing leads out of",
    why=(
        "Once a run is in such a cycle, no end can be reached: it goes round until `limits.steps` "
        "stops it, without a result."
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
    states:
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: check }
      check: { type: model, prompt: Is this polite?, next: work }  # <- AC603
      done: { type: end, output: "${states.check.output}" }
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
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: check }
      check: { type: model, prompt: Is this polite?, next: polite }
      polite: { type: choice, choices: [{ value: "${states.check.output}", when: { const: "no" }, next: work }], default: done }
      done: { type: end, output: "${states.work.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """The edges that close a reachable cycle without a way out."""
    for agent in program.agents.values():
        graph = workflow_graph(agent)
        if not graph.ends:
            continue  # AC602
        for group in endless_cycles(graph):
            closing = [edge for name in group for edge in graph.edges[name] if edge.target == group[0]][-1]
            states = ", ".join(f"`{name}`" for name in group)
            yield RULE.at(
                agent.span(*closing.path),
                f"no end can be reached from {states}: only `limits.steps` stops the run",
                help="let a `choice` or a `catch` lead out of the cycle",
            )
