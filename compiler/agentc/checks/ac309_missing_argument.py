"""AC309: required argument is missing."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.workflow import ToolStateSpec

RULE = Rule(
    code="AC309",
    name="missing-argument",
    title="required argument is missing",
    why=("A call without a required argument is refused at run time, so the state can only fail."),
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
    start: fetch
    states:
      fetch:
        type: tool
        tool: desk.get_ticket  # <- AC309
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
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
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
    """Required arguments that a tool state does not pass and the grant does not bind."""
    for agent in program.agents.values():
        for state in agent.states.values():
            if not isinstance(state.spec, ToolStateSpec):
                continue
            grant = state.grants.get(state.spec.tool)
            if grant is None or grant.tool.operation is None:
                continue
            required = grant.tool.operation.arguments.get("required", [])
            needed = [str(name) for name in required] if isinstance(required, list) else []
            missing = [name for name in needed if name not in state.spec.arguments and name not in grant.bind]
            if missing:
                names = ", ".join(f"`{name}`" for name in missing)
                yield RULE.at(
                    agent.span(*state.path, "tool"),
                    f"`{state.spec.tool}` needs {names}",
                    help="pass it in `arguments`, or bind it in the grant",
                )
