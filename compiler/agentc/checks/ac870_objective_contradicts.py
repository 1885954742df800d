"""AC870: objectives contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..syntax.common import milliseconds

RULE = Rule(
    code="AC870",
    name="objective-contradicts",
    title="objectives contradict each other",
    why="Where 95 in 100 runs are faster than a bound, half of them are: a higher bound for the half says nothing.",
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
  slos:
    latency:
      p50: 30s  # <- AC870
      p95: 10s
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
  slos:
    latency: { p50: 10s, p95: 30s }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Agents whose half of the runs may take longer than 95 in 100 of them."""
    for agent in program.agents.values():
        if agent.spec.slos is None:
            continue
        latency = agent.spec.slos.latency
        if latency.p50 is None or latency.p95 is None:
            continue
        if milliseconds(latency.p50) > milliseconds(latency.p95):
            yield RULE.at(
                agent.span("slos", "latency", "p50"),
                f"`p50` is {latency.p50}, and `p95` is {latency.p95}",
                help="exchange them, or leave `p50` out",
            )
