"""AC641: agent that is given worse data than it declares."""

from collections.abc import Iterator

from agentc_runtime.labels import Label, join

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import given_to
from ..program import Program
from ..syntax.common import DataSpec

RULE = Rule(
    code="AC641",
    name="handoff-of-worse-data",
    title="agent that is given worse data than it declares",
    why=(
        "Everything that is proven of an agent stands on the labels of its input. Data that is "
        "less trusted, or more sensitive, than it declares makes those proofs worthless. In a "
        "run the real label counts."
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
    start: read
    states:
      read: { type: agent, tools: [desk.get_ticket], next: work }
      work: { type: handoff, agent: reader, input: { ticket_id: "${states.read.output}" }, next: pay }  # <- AC641
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
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
    start: read
    states:
      read: { type: agent, tools: [desk.get_ticket], next: work }
      work: { type: handoff, agent: reader, input: { ticket_id: "${states.read.output}" }, next: pay }
      pay: { type: agent, tools: [desk.refund], next: done }
      done: { type: end, output: "${states.pay.output}" }
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read the ticket.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
    trust: untrusted
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Hand-offs that give data with a label beyond the one that the other agent declares."""
    for agent in program.agents.values():
        for name, state in agent.states.items():
            other = state.handoff
            if other is None:
                continue
            worse = [one for one in given_to(agent, state) if beyond(one.origin.label, other.spec.input)]
            if worse:
                label = worse[0].origin.label
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"state `{name}` gives `{other.resource.name}` {label.trust}, {label.sensitivity} data of "
                    f"{worse[0]}, and it takes {other.spec.input.trust}, {other.spec.input.sensitivity} data",
                    help=f"declare `trust: {label.trust if label.trust != 'typed' else 'untrusted'}` and "
                    f"`sensitivity: {label.sensitivity}` in its `input`, and see what it says then",
                    notes=(Note("its input", other.span("input", key=True)),),
                )
            mine, its = agent.spec.session, other.spec.session
            if mine is not None and its is not None and beyond(label_of(mine), its):
                yield RULE.at(
                    agent.span(*state.path, key=True),
                    f"the session of agent `{agent.resource.name}` is {mine.trust}, {mine.sensitivity}, and "
                    f"`{other.resource.name}` takes a {its.trust}, {its.sensitivity} one",
                    help="declare the same labels for both",
                    notes=(Note("its session", other.span("session", key=True)),),
                )


def label_of(data: DataSpec) -> Label:
    """The label that is declared for an agent's data."""
    return Label(trust=data.trust, sensitivity=data.sensitivity)


def beyond(label: Label, declared: DataSpec) -> bool:
    """Whether data with this label is less trusted or more sensitive than what is declared."""
    return join(label_of(declared), label) != label_of(declared)
