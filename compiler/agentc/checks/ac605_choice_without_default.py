"""AC605: choice that may find no branch."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.workflow import ChoiceStateSpec
from .branches import choice_gap

RULE = Rule(
    code="AC605",
    name="choice-without-default",
    title="choice that may find no branch",
    why=(
        "A run fails when it enters a choice and no branch takes the value. Without `default`, the "
        "branches must be seen to take every value that the schema admits."
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
      sort:  # <- AC605
        type: choice
        choices:
          - { value: "${input.ticket_id}", when: { const: a }, next: work }
          - { value: "${input.ticket_id}", when: { const: b }, next: done }
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
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Choices without `default` whose branches are not proved to take every value."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if not isinstance(state.spec, ChoiceStateSpec) or state.spec.default is not None:
                continue
            problem = choice_gap(agent, state, state.spec)
            if problem is not None:
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"no branch of choice `{name}` takes {problem}",
                    help="add `default:` with the state to go to then",
                )
