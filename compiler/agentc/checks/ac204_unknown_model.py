"""AC204: unknown model."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Agent, Program
from ..resources import Step
from ..syntax.workflow import AgentStateSpec, ModelStateSpec

RULE = Rule(
    code="AC204",
    name="unknown-model",
    title="unknown model",
    why=("Only models that the project approves may see its data. An agent names them by their alias."),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fats  # <- AC204
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
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
""",
)


_NONE = "the project approves no model: add one to `models` in `agentc.yaml`"


def check(program: Program) -> Iterator[Diagnostic]:
    """Model aliases that agents and states name and that the project does not approve."""
    if program.project is None:
        return
    models = program.project.spec.models
    for agent in program.agents.values():
        for alias, path in _named(agent):
            if alias not in models:
                yield RULE.at(
                    agent.span(*path), f"unknown model `{alias}`", help=did_you_mean(alias, models) or _NONE
                )


def _named(agent: Agent) -> Iterator[tuple[str, tuple[Step, ...]]]:
    yield agent.spec.model, ("model",)
    for index, alias in enumerate(agent.spec.fallbacks):
        yield alias, ("fallbacks", index)
    if agent.spec.escalate_to is not None:
        yield agent.spec.escalate_to, ("escalate_to",)
    for state in agent.states.values():
        if state.path and isinstance(state.spec, AgentStateSpec | ModelStateSpec):
            if state.spec.model is not None:
                yield state.spec.model, (*state.path, "model")
            if state.spec.escalate_to is not None:
                yield state.spec.escalate_to, (*state.path, "escalate_to")
            for index, alias in enumerate(state.spec.fallbacks or ()):
                yield alias, (*state.path, "fallbacks", index)
