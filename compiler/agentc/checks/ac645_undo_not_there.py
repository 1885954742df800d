"""AC645: effect that can't be undone where undoing is asked for."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import tool_span
from ..graph import around, reach, workflow_graph
from ..program import Agent, Grant, Program
from ..schematypes import properties_of
from ..syntax.workflow import CatchingState, ToolStateSpec

RULE = Rule(
    code="AC645",
    name="undo-not-there",
    title="effect that can't be undone where undoing is asked for",
    why=(
        "Who writes `undo` counts on it that nothing stays behind. An effect whose tool has no "
        "`undo`, whose `undo` is not granted, or that is called without an argument it needs, "
        "stays."
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
      work: { type: agent, tools: [desk.get_ticket], next: pay }
      pay: { type: agent, tools: [desk.refund], next: done, catch: [{ next: sorry, undo: true }] }  # <- AC645
      done: { type: end, output: "${states.pay.output}" }
      sorry: { type: end, output: nothing was changed }
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
      work: { type: agent, tools: [desk.get_ticket], next: pay }
      pay: { type: agent, tools: [desk.refund], next: done, catch: [{ next: sorry, undo: true }] }
      done: { type: end, output: "${states.pay.output}" }
      sorry: { type: end, output: nothing was changed }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, undo: { tool: take_back, arguments: { amount: arguments.amount } } }
    take_back: { operation: createRefund, effect: send }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
    - tool: desk.take_back
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Effects of agents that ask for undoing somewhere, and that have no undo, or one that can't be called."""
    for agent in program.agents.values():
        asking, graph = _asking(agent), workflow_graph(agent)
        for state in agent.states.values():
            later = set(reach(graph, [*graph.successors[state.name], *around(agent, state)]))
            if not isinstance(state.spec, ToolStateSpec):
                later.add(state.name)  # it may have done one thing when it fails at another
            for grant in state.grants.values() if asking is None or later & asking else ():
                problem = _problem(agent, grant) if grant.tool.spec.effect != "read" else None
                if problem is not None:
                    yield RULE.at(
                        tool_span(agent, state, grant)
                        if len(state.grants) > 1
                        else agent.span(*state.path, key=True),
                        f"`{grant.tool.name}` is not undone: {problem}",
                        help="give the tool an `undo` that the agent is granted, or don't ask for undoing",
                        notes=(Note("the tool", grant.tool.span(key=True)),),
                    )


def _asking(agent: Agent) -> set[str] | None:
    """The states whose failure undoes what was done before; `None` for all of them."""
    if agent.spec.workflow is not None and agent.spec.workflow.undo_on_failure:
        return None
    return {
        name
        for name, state in agent.states.items()
        if isinstance(state.spec, CatchingState) and any(catch.undo for catch in state.spec.catch)
    }


def _problem(agent: Agent, grant: Grant) -> str | None:
    undo = grant.tool.spec.undo
    if undo is None:
        return "it has no `undo`"
    name = f"{grant.tool.toolset.name}.{undo.tool}"
    other = agent.grants.get(name)
    if other is None:
        return f"`{name}` is not granted"
    if other.tool.operation is None or grant.tool.operation is None:
        return None  # reported where the document is
    takes = other.tool.operation.arguments
    given = (
        set(undo.arguments) if undo.arguments is not None else properties_of(grant.tool.operation.arguments)
    )
    required = takes.get("required")
    missing = set(required if isinstance(required, list) else ()) - given - other.bind.keys()
    if missing:
        return f"`{name}` is called without `{min(missing)}`"
    unknown = set(undo.arguments or ()) - (properties_of(takes) - other.bind.keys())
    return f"`{name}` does not take `{min(unknown)}`" if unknown else None
