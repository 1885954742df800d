"""AC632: verification of nothing."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.workflow import VerifyStateSpec

RULE = Rule(
    code="AC632",
    name="nothing-verified",
    title="verification of nothing",
    why=(
        "A `verify` state with neither a `schema` nor `quotes` lets everything pass, and quotes "
        "without `grounds` can never stand anywhere."
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
          schema: { type: object, properties: { quotes: { type: array, items: { type: string } } }, required: [quotes] }
        next: check
      check: { type: verify, value: "${states.work.output}", next: pay, catch: [{ next: pay }] }  # <- AC632
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
        type: agent
        tools: [desk.get_ticket]
        output:
          schema: { type: object, properties: { quotes: { type: array, items: { type: string } } }, required: [quotes] }
        next: check
      check: { type: verify, value: "${states.work.output}", quotes: "${states.work.output.quotes}", grounds: ["${input.ids}"], next: pay, catch: [{ next: pay }] }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """`verify` states that verify nothing, or that nothing passes."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            spec = state.spec
            if not isinstance(spec, VerifyStateSpec):
                continue
            if spec.schema_ is None and spec.quotes is None:
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"state `{name}` verifies nothing",
                    help="add a `schema`, or `quotes` and their `grounds`",
                )
            elif (spec.quotes is None) != (not spec.grounds):
                there, missing = ("quotes", "grounds") if spec.quotes is not None else ("grounds", "quotes")
                yield RULE.at(
                    agent.span(*state.path, there, key=True),
                    f"state `{name}` has `{there}` and no `{missing}`",
                    help=f"add `{missing}`: what is quoted has to stand in one of the grounds",
                )
