"""AC607: branch that is never taken."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from ..stepping import kinds
from ..syntax.workflow import ChoiceStateSpec
from .branches import dead_branches, never_holding

RULE = Rule(
    code="AC607",
    name="dead-branch",
    title="branch that is never taken",
    why=(
        "The first branch that holds wins. A branch whose values are all taken before it never runs, "
        "and its state looks like a case that is handled. So does one whose condition no value satisfies."
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
    start: sort
    states:
      sort:
        type: choice
        choices:
          - { value: "${input.ticket_id}", when: { const: a }, next: work }
          - { value: "${input.ticket_id}", when: { const: a }, next: done }  # <- AC607
        default: done
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: end }
      end: { type: end, output: "${states.work.output}" }
      done: { type: end, output: nothing to do }
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
    start: sort
    states:
      sort:
        type: choice
        choices:
          - { value: "${input.ticket_id}", when: { const: a }, next: work }
          - { value: "${input.ticket_id}", when: { const: b }, next: done }
        default: done
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: end }
      end: { type: end, output: "${states.work.output}" }
      done: { type: end, output: nothing to do }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Branches whose values are taken by others before, and those that no value satisfies."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if not isinstance(state.spec, ChoiceStateSpec):
                continue
            path = (*state.path, "choices")
            never = dict(never_holding(agent, state, state.spec))
            for index, looked in never.items():
                yield RULE.at(
                    agent.span(*path, index, "when"),
                    f"this branch of choice `{name}` is never taken: its value is {kinds(looked)}, and none "
                    "satisfies `when`",
                    help="compare with what the value can be, or remove the branch",
                )
            for index, before in dead_branches(agent, state, state.spec):
                if index in never:
                    continue
                yield RULE.at(
                    agent.span(*path, index),
                    f"this branch of choice `{name}` is never taken: the ones before it take all of its values",
                    help="put the narrower branch first, or remove this one",
                    notes=(Note("taken here", agent.span(*path, before)),),
                )
