"""AC616: map over what is no list."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..expression_types import value_type
from ..program import Program
from ..schematypes import types_of
from ..stepping import kinds
from ..syntax.workflow import MapStateSpec

RULE = Rule(
    code="AC616",
    name="map-over-no-list",
    title="map over what is no list",
    why=("A `map` takes the items of a list one by one. A value of another type fails the state, each time."),
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
        type: map
        over: ${input.ticket_id}  # <- AC616
        start: look
        states:
          look:
            type: tool
            tool: desk.get_ticket
            arguments: { ticket_id: "${states.work.item}" }
            next: looked
          looked: { type: end, output: "${states.look.output.subject}" }
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
        type: map
        over: ${input.ids}
        start: look
        states:
          look:
            type: tool
            tool: desk.get_ticket
            arguments: { ticket_id: "${states.work.item}" }
            next: looked
          looked: { type: end, output: "${states.look.output.subject}" }
        next: pay
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """`over` whose value is never a list."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if not isinstance(state.spec, MapStateSpec):
                continue
            found = value_type(state.exprs["over"].expr, agent.environment)
            if found and "array" not in types_of(found):
                yield RULE.at(
                    agent.span(*state.path, "over"),
                    f"state `{name}` goes over {kinds(found)}, and needs a list",
                    help="name a list",
                )
