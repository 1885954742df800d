"""AC617: timeout that the run does not reach."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.common import milliseconds
from ..syntax.workflow import FallibleState

RULE = Rule(
    code="AC617",
    name="timeout-beyond-run",
    title="timeout that the run does not reach",
    why=(
        "A state whose `timeout` is longer than the run may take is never stopped by it: the "
        "run is over first, and no `catch` sees that."
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
      work: { type: agent, tools: [desk.get_ticket], timeout: 1h, next: pay }  # <- AC617
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
      work: { type: agent, tools: [desk.get_ticket], timeout: 2m, next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Timeouts of states that are not shorter than that of the run."""
    for agent in program.agents.values():
        limit = milliseconds(agent.spec.limits.time)
        for name, state in agent.states.items():
            spec = state.spec
            if (
                isinstance(spec, FallibleState)
                and spec.timeout is not None
                and milliseconds(spec.timeout) >= limit
            ):
                yield RULE.at(
                    agent.span(*state.path, "timeout"),
                    f"state `{name}` may take as long as the whole run, {agent.spec.limits.time}",
                    help="set a shorter `timeout`, or a longer `limits.time`",
                )
