"""AC606: failed effect that nothing handles."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..graph import around
from ..program import Program
from ..stepping import all_grants
from ..syntax.workflow import CatchingState, ToolStateSpec

RULE = Rule(
    code="AC606",
    name="effect-without-catch",
    title="failed effect that nothing handles",
    why=(
        "An effect can fail after half of it happened. Without a `catch` the run ends there, and "
        "nobody is told what was done and what was not."
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
      work: { type: agent, tools: [desk.get_ticket], next: pay }
      pay: { type: tool, tool: desk.refund, arguments: { amount: 5 }, next: done }  # <- AC606
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
      work: { type: agent, tools: [desk.get_ticket], next: pay }
      pay: { type: tool, tool: desk.refund, arguments: { amount: 5 }, next: done, catch: [{ next: failed }] }
      done: { type: end, output: "${states.work.output}" }
      failed: { type: end, output: a person has to look at the refund }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Tool states with an effect, and hand-offs to agents that have one, that don't catch its errors."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            tool = program.tools.get(state.spec.tool) if isinstance(state.spec, ToolStateSpec) else None
            failing = None if tool is None else f"`{tool.name}`"
            if state.handoff is not None:
                grants = all_grants(state.handoff).values()
                tool = next((one.tool for one in grants if one.tool.spec.effect != "read"), None)
                failing = (
                    f"agent `{state.handoff.resource.name}`, which may call `{tool.name}`" if tool else None
                )
            if tool is None or tool.spec.effect == "read":
                continue
            specs = [state.spec, *(agent.states[outer].spec for outer in around(agent, state))]
            catches = [catch for spec in specs if isinstance(spec, CatchingState) for catch in spec.catch]
            caught = {error for catch in catches for error in catch.errors}
            if not caught & {"any", "tool_error"}:
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"state `{name}` does not handle a failure of {failing}",
                    help="add `catch: [{ next: STATE }]` with the state that deals with it",
                    notes=(Note(f"its effect is `{tool.spec.effect}`", tool.span("effect")),),
                )
