"""AC608: catch that never applies."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Agent, Program
from ..resources import Step
from ..syntax.workflow import CatchingState, CatchSpec

RULE = Rule(
    code="AC608",
    name="dead-catch",
    title="catch that never applies",
    why=(
        "The first `catch` that matches wins. One whose errors are all caught before it never "
        "applies, and its state looks like a safety net that is none."
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
    start: work
    states:
      work:
        type: agent
        tools: [desk.get_ticket, desk.refund]
        next: done
        catch:
          - next: failed
          - { errors: [timeout], next: late }  # <- AC608
      done: { type: end, output: "${states.work.output}" }
      failed: { type: end, output: sorry }
      late: { type: end, output: later }
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
    start: work
    states:
      work:
        type: agent
        tools: [desk.get_ticket, desk.refund]
        next: done
        catch:
          - { errors: [timeout], next: late }
          - next: failed
      done: { type: end, output: "${states.work.output}" }
      failed: { type: end, output: sorry }
      late: { type: end, output: later }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Catches behind others that take all of their errors."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            if isinstance(state.spec, CatchingState):
                yield from _dead(agent, name, state.spec.catch, (*state.path, "catch"))


def _dead(
    agent: Agent, name: str, catches: tuple[CatchSpec, ...], path: tuple[Step, ...]
) -> Iterator[Diagnostic]:
    caught: dict[str, int] = {}
    for index, catch in enumerate(catches):
        before = [caught.get(error, caught.get("any")) for error in catch.errors]
        known = [place for place in before if place is not None]
        if len(known) == len(before):
            yield RULE.at(
                agent.span(*path, index),
                f"this `catch` of state `{name}` never applies: {_names(catch)} caught before it",
                help="put it before the more general one, or remove it",
                notes=(Note("caught here", agent.span(*path, max(known))),),
            )
        for error in catch.errors:
            caught.setdefault(error, index)


def _names(catch: CatchSpec) -> str:
    names = ", ".join(f"`{error}`" for error in catch.errors)
    return f"{names} {'is' if len(catch.errors) == 1 else 'are'}"
