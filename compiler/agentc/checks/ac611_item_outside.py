"""AC611: item of a map that is read outside of it."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..graph import around
from ..program import Program, State
from ..stepping import first_line
from ..syntax.workflow import MapStateSpec

RULE = Rule(
    code="AC611",
    name="item-outside",
    title="item of a map that is read outside of it",
    why=("The item exists while its branch runs. Before, after and beside it there is none."),
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
        type: map
        over: ${input.ids}
        start: look
        states:
          look:
            type: tool
            tool: desk.get_ticket
            arguments: { ticket_id: "${states.work.item}" }
            next: looked
          looked: { type: end, output: "${states.look.output.subject}" }
        next: pay
      pay: { type: model, prompt: "Summarise {{ states.work.item }}", next: refund }  # <- AC611
      refund: { type: agent, tools: [desk.refund], next: done }
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
        type: map
        over: ${input.ids}
        start: look
        states:
          look:
            type: tool
            tool: desk.get_ticket
            arguments: { ticket_id: "${states.work.item}" }
            next: looked
          looked: { type: end, output: "${states.look.output.subject}" }
        next: pay
      pay: { type: model, prompt: "Summarise {{ states.work.output.results | json }}", next: refund }
      refund: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """References and slots that read an item in a state that is not inside its `map`."""
    for agent in program.agents.values():
        for state in agent.states.values():
            for path, span in _read(state):
                match path:
                    case ("states", name, "item", *_) if name not in around(agent, state):
                        if name in agent.states and isinstance(agent.states[name].spec, MapStateSpec):
                            yield RULE.at(
                                span,
                                f"state `{state.name}` is not inside `{name}`, whose item it reads",
                                help="read `${states." + name + ".output.results}`, or move it inside",
                                notes=(Note("the map", agent.span(*agent.states[name].path, key=True)),),
                            )


def _read(state: State) -> Iterator[tuple[tuple[str, ...], Span]]:
    for bound in state.exprs.values():
        yield from (((reference.root, *reference.path), span) for reference, span in bound.references)
    for text in state.texts.values():
        yield from ((path, first_line(text.span)) for path in sorted(text.reads))
