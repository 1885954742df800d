"""AC633: query that the retriever may not see."""

from collections.abc import Iterator

from agentc_runtime.labels import allows

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import asked_of
from ..program import Program
from ..syntax.workflow import RetrieveStateSpec

RULE = Rule(
    code="AC633",
    name="query-too-sensitive",
    title="query that the retriever may not see",
    why=(
        "A retriever is somebody's program, and what it is asked may be kept there. It is shown "
        "data up to its `max_sensitivity`, and a run fails when a query holds more."
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
    sensitivity: confidential
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: work
    states:
      work:
        type: retrieve
        retriever: handbook
        query: ${input.ticket_id}  # <- AC633
        next: pay
      pay: { type: agent, tools: [desk.get_ticket, desk.refund], prompt: "{{ states.work.output.passages | json }}", next: done }
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
    sensitivity: confidential
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: work
    states:
      work:
        type: retrieve
        retriever: handbook
        query: ${input.ticket_id}
        max_sensitivity: confidential
        next: pay
      pay: { type: agent, tools: [desk.get_ticket, desk.refund], prompt: "{{ states.work.output.passages | json }}", next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Queries that may hold data above `max_sensitivity`."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if not isinstance(state.spec, RetrieveStateSpec):
                continue
            most = state.spec.max_sensitivity
            over = [one for one in asked_of(agent, state) if not allows(most, one.origin.label)]
            if over:
                label = over[0].origin.label
                yield RULE.at(
                    agent.span(*state.path, "query"),
                    f"state `{name}` asks with {label.sensitivity} data of {over[0]}, and its retriever may see "
                    f"{most} data",
                    help="raise `max_sensitivity` if the retriever may see it, or ask with less",
                    notes=(Note(f"{over[0].origin.name}: {label.sensitivity}", over[0].origin.declared),),
                )
