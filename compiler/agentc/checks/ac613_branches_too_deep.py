"""AC613: workflows too deep inside each other."""

from collections.abc import Iterator

from agentc_runtime.flowing import MAX_NESTING

from ..diagnostics import Diagnostic, Rule
from ..graph import around
from ..program import Program
from ..stepping import starts

RULE = Rule(
    code="AC613",
    name="branches-too-deep",
    title="workflows too deep inside each other",
    why=(
        "Workflows may lie eight deep inside each other. What is deeper no reader follows, and "
        "its runs multiply with each level."
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
        type: map
        over: ${input.ids}
        next: pay
        start: level1
        states:
          end1: { type: end, output: 1 }
          level1:
            type: map
            over: ${input.ids}
            next: end1
            start: level2
            states:
              end2: { type: end, output: 1 }
              level2:
                type: map
                over: ${input.ids}
                next: end2
                start: level3
                states:
                  end3: { type: end, output: 1 }
                  level3:
                    type: map
                    over: ${input.ids}
                    next: end3
                    start: level4
                    states:
                      end4: { type: end, output: 1 }
                      level4:
                        type: map
                        over: ${input.ids}
                        next: end4
                        start: level5
                        states:
                          end5: { type: end, output: 1 }
                          level5:
                            type: map
                            over: ${input.ids}
                            next: end5
                            start: level6
                            states:
                              end6: { type: end, output: 1 }
                              level6:
                                type: map
                                over: ${input.ids}
                                next: end6
                                start: level7
                                states:
                                  end7: { type: end, output: 1 }
                                  level7:
                                    type: map
                                    over: ${input.ids}
                                    next: end7
                                    start: level8
                                    states:
                                      end8: { type: end, output: 1 }
                                      level8:  # <- AC613
                                        type: map
                                        over: ${input.ids}
                                        next: end8
                                        start: level9
                                        states:
                                          end9: { type: end, output: 1 }
                                          level9: { type: model, prompt: Guess., next: end9 }
      pay: { type: agent, tools: [desk.refund, desk.get_ticket], next: done }
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
        next: pay
        start: level1
        states:
          end1: { type: end, output: 1 }
          level1:
            type: map
            over: ${input.ids}
            next: end1
            start: level2
            states:
              end2: { type: end, output: 1 }
              level2: { type: model, prompt: Guess., next: end2 }
      pay: { type: agent, tools: [desk.refund, desk.get_ticket], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """States with branches that lie too deep."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if any(True for _ in starts(state.spec)) and len(around(agent, state)) == MAX_NESTING:
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"the branches of state `{name}` lie deeper than {MAX_NESTING} inside others",
                    help="let another agent do the inner part: `type: handoff`",
                )
