"""AC307: argument of the wrong type."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..schematypes import assignable, type_at
from ..stepping import expression_type, kinds
from ..syntax.workflow import ToolStateSpec

RULE = Rule(
    code="AC307",
    name="argument-type",
    title="argument of the wrong type",
    why=("The value that a tool state passes must be of a type that the operation takes, for every input."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string }, number: { type: integer } }, required: [ticket_id, number] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: fetch
    states:
      fetch:
        type: tool
        tool: desk.get_ticket
        arguments: { ticket_id: "${input.number}" }  # <- AC307
        next: main
      main: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.main.output}" }
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string }, number: { type: integer } }, required: [ticket_id, number] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
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
    """Arguments of tool states whose type can never fit."""
    for agent in program.agents.values():
        for state in agent.states.values():
            if not isinstance(state.spec, ToolStateSpec):
                continue
            tool = program.tools.get(state.spec.tool)
            if tool is None or tool.operation is None:
                continue
            for name in state.spec.arguments:
                target = type_at(tool.operation.arguments, (name,))
                bound = state.exprs[f"arguments/{name}"]
                source = expression_type(bound.expr, agent.environment)
                if target is not None and source is not None and assignable(source, target) is False:
                    yield RULE.at(
                        bound.span,
                        f"argument `{name}` of `{tool.name}` takes {kinds(target)}, and this is {kinds(source)}",
                    )
