"""AC614: effect in a branch that may be cancelled."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..graph import around
from ..program import Program, State
from ..stepping import all_grants
from ..syntax.workflow import ParallelStateSpec

RULE = Rule(
    code="AC614",
    name="effect-in-race",
    title="effect in a branch that may be cancelled",
    why=(
        "What is not waited for is cancelled, at any moment. An effect that is cut off may have "
        "happened or not, and nobody can say which."
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
        type: parallel
        wait: any
        branches:
          one:
            start: first
            states:
              first: { type: agent, tools: [desk.get_ticket], next: one_end }
              one_end: { type: end, output: "${states.first.output}" }
          two:
            start: second
            states:
              second: { type: agent, tools: [desk.refund], next: two_end }  # <- AC614
              two_end: { type: end, output: "${states.second.output}" }
        next: pay
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
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
        type: parallel
        wait: any
        branches:
          one:
            start: first
            states:
              first: { type: agent, tools: [desk.get_ticket], next: one_end }
              one_end: { type: end, output: "${states.first.output}" }
          two:
            start: second
            states:
              second: { type: model, prompt: Guess., next: two_end }
              two_end: { type: end, output: "${states.second.output}" }
        next: pay
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """States with an effect inside a `parallel` that does not wait for all of its branches."""
    for agent in program.agents.values():
        for state in agent.states.values():
            effect = next(_effects(state), None)
            for name in around(agent, state):
                spec = agent.states[name].spec
                if effect is None or not isinstance(spec, ParallelStateSpec):
                    continue
                if spec.wait not in ("all", len(spec.branches)):
                    yield RULE.at(
                        agent.span(*state.path, key=True),
                        f"`{effect}` may be cut off: `{name}` waits for {_counted(spec)} of its branches",
                        help=f"wait for all of them, or let the effect happen after `{name}`",
                        notes=(
                            Note(
                                "what is not waited for is cancelled",
                                agent.span(*agent.states[name].path, "wait"),
                            ),
                        ),
                    )


def _counted(spec: ParallelStateSpec) -> str:
    return "any one" if spec.wait == "any" else str(spec.wait)


def _effects(state: State) -> Iterator[str]:
    grants = dict(state.grants)
    if state.handoff is not None:
        grants |= all_grants(state.handoff)
    yield from (name for name, grant in sorted(grants.items()) if grant.tool.spec.effect != "read")
