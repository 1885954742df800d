"""AC644: input that the other agent does not take."""

from collections.abc import Iterator

from agentc_runtime.expressions import Expr, Object
from agentc_runtime.quoting import shown

from ..diagnostics import Diagnostic, Note, Rule
from ..expression_types import value_type
from ..program import Agent, Program, SchemaData

RULE = Rule(
    code="AC644",
    name="handoff-input",
    title="input that the other agent does not take",
    why=(
        "An agent takes what its `input.schema` describes and nothing else. A hand-off that "
        "gives it something else fails, each time or for some values."
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
      work: { type: handoff, agent: reader, input: { ticket: "${input.ticket_id}" }, next: pay }  # <- AC644
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
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
      work: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Inputs and sessions of hand-offs with values that the other agent's schema does not have."""
    from ..lower_states import session_for

    for agent in program.agents.values():
        for name, state in agent.states.items():
            other = state.handoff
            if other is None or any(bound.problems for bound in state.exprs.values()):
                continue
            given = {key.removeprefix("input/"): bound.expr for key, bound in sorted(state.exprs.items())}
            for what, expr in (("input", Object(fields=given)), ("session", session_for(agent, state))):
                problem = _problem(agent, expr, other.environment[what])
                if problem is not None:
                    yield RULE.at(
                        agent.span(*state.path, key=True),
                        f"state `{name}` may give `{other.resource.name}` {problem}, which is not {_its(what)}",
                        help=f"see the `{what}` of `{other.resource.name}`",
                        notes=(Note(f"its {what}", other.span(what, key=True)),),
                    )


def _its(what: str) -> str:
    return "an input that it takes" if what == "input" else "a session that it takes"


def _problem(agent: Agent, expr: Expr, takes: SchemaData) -> str | None:
    """A value, as JSON, that is given and not taken; `None` when there is none, or none was found."""
    from ..subsumption import Escapes, includes

    answer = includes(takes, value_type(expr, agent.environment))
    return shown(answer.witness) if isinstance(answer, Escapes) else None
