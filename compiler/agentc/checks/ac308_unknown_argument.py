"""AC308: argument that the tool does not have."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, did_you_mean
from ..program import Program
from ..schematypes import properties_of
from ..syntax.workflow import ToolStateSpec

RULE = Rule(
    code="AC308",
    name="unknown-argument",
    title="argument that the tool does not have",
    why=(
        "A call with an unknown argument is refused at run time, so a tool state that passes "
        "one can only fail."
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
    start: fetch
    states:
      fetch:
        type: tool
        tool: desk.get_ticket
        arguments: { ticket_id: "${input.ticket_id}", verbose: true }  # <- AC308
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
    """Arguments of tool states that the operation does not have, or that the grant binds."""
    for agent in program.agents.values():
        for state in agent.states.values():
            if not isinstance(state.spec, ToolStateSpec):
                continue
            tool = program.tools.get(state.spec.tool)
            if tool is None or tool.operation is None:
                continue
            grant = state.grants.get(state.spec.tool)
            known = properties_of(tool.operation.arguments)
            for name in state.spec.arguments:
                span = agent.span(*state.path, "arguments", name, key=True)
                if name not in known:
                    yield RULE.at(
                        span, f"`{tool.name}` has no argument `{name}`", help=did_you_mean(name, known)
                    )
                elif grant is not None and name in grant.bind:
                    yield RULE.at(
                        span,
                        f"argument `{name}` is bound by the grant",
                        help="leave it out: the grant sets it",
                        notes=(Note("bound here", grant.span("bind", name, key=True)),),
                    )
