"""AC630: approval that nobody can give."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..syntax.workflow import ApprovalStateSpec

RULE = Rule(
    code="AC630",
    name="approval-nobody-gives",
    title="approval that nobody can give",
    why=(
        "A group that the project does not have, or that has no members, never answers. The "
        "question is asked, and the run waits for nobody."
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
      work: { type: agent, tools: [desk.get_ticket], next: ask }
      ask: { type: approval, message: Refund?, by: [chiefs], next: pay }  # <- AC630
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
      work: { type: agent, tools: [desk.get_ticket], next: ask }
      ask: { type: approval, message: Refund?, by: [leads], next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Groups of `approval` states that the project does not have."""
    groups = program.project.spec.approvers if program.project is not None else None
    for agent in program.agents.values():
        for state in agent.states.values():
            for index, group in enumerate(state.spec.by if isinstance(state.spec, ApprovalStateSpec) else ()):
                if groups is not None and group not in groups:
                    yield RULE.at(
                        agent.span(*state.path, "by", index),
                        f"nobody can answer: the project has no approver group `{group}`",
                        help=did_you_mean(group, groups) or "add it to the project's `approvers`",
                    )
