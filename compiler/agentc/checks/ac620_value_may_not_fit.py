"""AC620: value that the next step may refuse."""

from collections.abc import Iterator

from agentc_runtime.expressions import Expr, Ref
from agentc_runtime.quoting import shown

from ..diagnostics import Diagnostic, Note, Rule
from ..expression_types import inlined, value_type
from ..predicates import check_schema, close_where
from ..program import Agent, Grant, Program, SchemaData
from ..schematypes import assignable, type_at
from ..syntax.workflow import EndStateSpec, ToolStateSpec
from ..typing_env import closed_object

RULE = Rule(
    code="AC620",
    name="value-may-not-fit",
    title="value that the next step may refuse",
    why=(
        "What one state gives and another takes are compared as sets of values. Where the first "
        "holds more, the step fails in a run for a value that the spec allows. The finding "
        "shows one."
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
      work:
        type: agent
        tools: [desk.get_ticket]
        output:
          schema:
            type: object
            properties: { amount: { type: number } }
            required: [amount]
        next: pay
      pay:
        type: tool
        tool: desk.refund
        arguments:
          amount: ${states.work.output.amount}  # <- AC620
        next: done
        catch: [{ next: done }]
      done: { type: end, output: "sent" }
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
        type: agent
        tools: [desk.get_ticket]
        output:
          schema:
            type: object
            properties: { amount: { type: number, minimum: 0, maximum: 50 } }
            required: [amount]
        next: pay
      pay:
        type: tool
        tool: desk.refund
        arguments:
          amount: ${states.work.output.amount}
        next: done
        catch: [{ next: done }]
      done: { type: end, output: "sent" }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Arguments of `tool` states that may be outside what the tool or the grant takes, and results that may be
    outside the agent's `output`."""
    for agent in program.agents.values():
        for state in agent.states.values():
            if isinstance(state.spec, EndStateSpec) and state.path and state.inside is None:
                bound, promised = state.exprs["output"], agent.output
                witness = None if promised is None else _refused(agent, bound.expr, "output", promised, None)
                if witness is not None:
                    yield RULE.at(
                        bound.span,
                        f"the result may be {witness}, which the agent's `output` does not allow",
                        help="narrow the schema of the state that gives it, or `verify` it first",
                        notes=(Note("what the agent promises", agent.span("output", key=True)),),
                    )
            grant = state.grants.get(state.spec.tool) if isinstance(state.spec, ToolStateSpec) else None
            if grant is None or grant.tool.operation is None:
                continue
            arguments, where = grant.tool.operation.arguments, grant.spec.where
            for place, bound in state.exprs.items():
                name = place.removeprefix("arguments/")
                takes = type_at(arguments, (name,))
                limit = _plain(where[name]) if name in where else None
                if not isinstance(bound.expr, Ref) or takes is None or _is_wrong(grant, name):
                    continue
                witness = _refused(agent, bound.expr, name, takes, limit)
                if witness is not None:
                    taker = f"the grant of `{grant.tool.name}`" if name in where else f"`{grant.tool.name}`"
                    yield RULE.at(
                        bound.span,
                        f"`{name}` may be {witness}, which {taker} does not take",
                        help="narrow the schema of the state that gives it, or `verify` it first",
                    )


def _plain(limit: object) -> object:
    """A limit without where its value has to come from."""
    return {key: one for key, one in limit.items() if key != "from"} if isinstance(limit, dict) else limit


def _is_wrong(grant: Grant, name: str) -> bool:
    """Whether the limit is not what anybody meant, which is said where it stands."""
    node = grant.permission_set.at("grants", grant.index, "where", name)
    return node is not None and any(True for _ in check_schema(node, origins=True))


def _refused(agent: Agent, expr: Expr, name: str, takes: SchemaData, limit: object) -> str | None:
    """A value, as JSON, that the expression may give and the step does not take; `None` when there is none.

    What can't be decided is left to the run.
    """
    gives = value_type(expr, agent.environment)
    if not takes or not gives or assignable(gives, takes) is False:
        return None  # nothing is known, or AC307 or AC311
    from ..subsumption import Escapes, Intersection, includes

    given = closed_object({name: inlined(gives)})
    wanted: list[SchemaData] = [{"properties": {name: inlined(takes)}}]
    if limit is not None:
        wanted.append(close_where({name: limit}))
    answer = includes(Intersection(tuple(wanted)), given)
    if not isinstance(answer, Escapes) or not isinstance(answer.witness, dict):
        return None
    return shown(answer.witness.get(name))
