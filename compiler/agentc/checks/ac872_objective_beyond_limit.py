"""AC872: objective beyond a limit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Agent, Program
from ..syntax.common import milliseconds

RULE = Rule(
    code="AC872",
    name="objective-beyond-limit",
    title="objective beyond a limit",
    why=(
        "A run that is over a limit of the agent is stopped, so no run is ever as slow or as large as the "
        "objective: its alert never goes off."
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
  limits: { cost_usd: 0.5, time: 1m }
  slos:
    latency:
      p95: 2m  # <- AC872
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
  limits: { cost_usd: 0.5, time: 5m }
  slos:
    latency:
      p95: 2m
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Objectives on time and tokens that no run can miss."""
    for agent in program.agents.values():
        if agent.spec.slos is None:
            continue
        yield from _time(agent)
        slos, limits = agent.spec.slos, agent.spec.limits
        if (
            slos.tokens_per_run is not None
            and limits.tokens is not None
            and slos.tokens_per_run > limits.tokens
        ):
            yield _beyond(agent, ("tokens_per_run",), str(slos.tokens_per_run), "tokens", str(limits.tokens))


def _time(agent: Agent) -> Iterator[Diagnostic]:
    slos, limits = agent.spec.slos, agent.spec.limits
    assert slos is not None
    for share, said in (("p50", slos.latency.p50), ("p95", slos.latency.p95)):
        if said is not None and Decimal(milliseconds(said)) >= milliseconds(limits.time):
            yield _beyond(agent, ("latency", share), said, "time", limits.time)


def _beyond(agent: Agent, path: tuple[str, ...], said: str, limit: str, value: str) -> Diagnostic:
    notes: tuple[Note, ...] = ()
    if limit in agent.spec.limits.model_fields_set:
        notes = (Note("the limit stands here", agent.span("limits", limit, key=True)),)
    return RULE.at(
        agent.span("slos", *path),
        f"`{path[-1]}` is {said}, and a run is stopped at {value} by `limits.{limit}`",
        help="make the objective smaller than the limit",
        notes=notes,
    )
