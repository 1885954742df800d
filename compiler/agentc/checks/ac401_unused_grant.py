"""AC401: grant that no state uses."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from ..stepping import named_tools
from ..syntax.workflow import HandoffStateSpec

RULE = Rule(
    code="AC401",
    name="unused-grant",
    title="grant that no state uses",
    why=(
        "Least privilege means that what is not needed is not granted. A grant that no state uses is "
        "reach without a purpose."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC401
      where: { amount: { maximum: 50 } }
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
      work: { type: agent, tools: [desk.get_ticket], next: done }
      done: { type: end, output: "${states.work.output}" }
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
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
      done: { type: end, output: "${states.work.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Granted tools that no state of the agent names."""
    for agent in program.agents.values():
        named = [tool for state in agent.states.values() for tool, _ in named_tools(state)]
        if any(name not in program.tools for name in named):
            continue  # a misspelled name may be the use that is missing
        used = {name for state in agent.states.values() for name in state.grants}
        for state in agent.states.values():
            if state.handoff is not None:
                used |= state.handoff.grants.keys()
        if any(
            isinstance(state.spec, HandoffStateSpec) and not state.handoff for state in agent.states.values()
        ):
            continue  # what it hands off to is not known
        undone = {
            f"{grant.tool.toolset.name}.{grant.tool.spec.undo.tool}"
            for name, grant in agent.grants.items()
            if name in used and grant.tool.spec.undo
        }
        for name, grant in agent.grants.items():
            if name not in used | undone:
                yield RULE.at(
                    grant.span("tool"),
                    f"agent `{agent.resource.name}` is granted `{name}`, and none of its states uses it",
                    help="remove the grant, or add the tool to the `tools` of the state that needs it",
                    notes=(Note("the agent's workflow", agent.span("workflow", key=True)),),
                )
