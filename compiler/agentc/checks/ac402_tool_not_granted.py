"""AC402: state uses a tool that is not granted."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from ..stepping import named_tools
from .grants import all_sets_known, declared_grants, misnamed

RULE = Rule(
    code="AC402",
    name="tool-not-granted",
    title="state uses a tool that is not granted",
    why=(
        "A state can only narrow what its agent is granted. A tool without a grant does not exist for "
        "the agent."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
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
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }  # <- AC402
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
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
      done: { type: end, output: "${states.work.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools in the states of an agent that no permission set of the agent grants."""
    for agent in program.agents.values():
        if not all_sets_known(program, agent):
            continue
        granted = [grant.tool for each in agent.permission_sets for grant in each.spec.grants]
        unknown = [name for name in granted if name not in program.tools]
        for state in agent.states.values():
            for name, path in named_tools(state):
                if name in agent.grants or name not in program.tools or misnamed(name, unknown):
                    continue
                yield RULE.at(
                    agent.span(*path),
                    f"state `{state.name}` uses `{name}`, which agent `{agent.resource.name}` is not granted",
                    help=_help(program, name),
                    notes=(Note("the agent's permission sets", agent.span("permissions", key=True)),),
                )


def _help(program: Program, name: str) -> str:
    for grant in declared_grants(program):
        if grant.spec.tool == name:
            return f"permission set `{grant.permission_set.name}` grants it: add it to `permissions`"
    return f"add `- tool: {name}` to a permission set of the agent, or remove it from the state"
