"""AC601: state that no path reaches."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..graph import components, endless_cycles, workflow_graph
from ..program import Program

RULE = Rule(
    code="AC601",
    name="unreachable-state",
    title="state that no path reaches",
    why=(
        "A state that can't be reached never runs. Most often a `next` names the wrong state, and a "
        "check that was meant to happen does not."
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
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
      check: { type: model, prompt: Is this polite?, next: done }  # <- AC601
      done: { type: end, output: "${states.work.output}" }
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
      check: { type: model, prompt: Is this polite?, next: done }
      done: { type: end, output: "${states.work.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """The first state of each part of a workflow that hangs on nothing."""
    for agent in program.agents.values():
        graph = workflow_graph(agent)
        if not graph.complete or endless_cycles(graph):
            continue  # what is unreachable may be what the wrong name or the missing way out was to lead to
        lost = frozenset(graph.edges) - graph.reached
        for group in components(graph, lost):
            if any(name not in group for state in group for name in graph.predecessors[state]):
                continue  # reached once the state before it is
            yield RULE.at(
                agent.span(*agent.states[group[0]].path, key=True),
                f"no path from `{graph.start}` reaches state `{group[0]}`",
                help="name it in the `next` of the state that it follows, or remove it",
                notes=(Note("the workflow starts here", agent.span("workflow", "start")),),
            )
