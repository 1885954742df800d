"""AC311: output that can't fit the schema."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Agent, Program, SchemaData, State
from ..schematypes import assignable
from ..stepping import expression_type, kinds
from ..syntax.workflow import EndStateSpec

RULE = Rule(
    code="AC311",
    name="output-type",
    title="output that can't fit the schema",
    why=(
        "The output of an `end` state must satisfy the agent's `output` schema. A type that "
        "never does fails every run at its last step."
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
  output: { schema: { type: integer } }
  workflow:
    start: fetch
    states:
      fetch:
        type: tool
        tool: desk.get_ticket
        arguments: { ticket_id: "${input.ticket_id}" }
        next: main
      main: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.main.output}" }  # <- AC311
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
  output: { schema: { type: string } }
  workflow:
    start: fetch
    states:
      fetch:
        type: tool
        tool: desk.get_ticket
        arguments: { ticket_id: "${input.ticket_id}" }
        next: main
      main: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.main.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Outputs of `end` states whose type can never fit."""
    for agent in program.agents.values():
        target: SchemaData = {"type": "string"} if agent.output is None else agent.output
        for state in agent.states.values():
            if isinstance(state.spec, EndStateSpec) and state.path and state.inside is None:
                bound = state.exprs["output"]
                source = expression_type(bound.expr, agent.environment)
                if source is not None and assignable(source, target) is False:
                    yield RULE.at(
                        bound.span,
                        f"the agent's output is {kinds(target)}, and this is {kinds(source)}",
                        help=_help(agent, state),
                    )


def _help(agent: Agent, state: State) -> str | None:
    if agent.resource.at(*state.path, "output") is None:
        return "give the state an `output`"
    return "declare the agent's `output` schema" if agent.output is None else None
