"""AC871: objective for what never happens."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Agent, Grant, Program
from ..stepping import all_grants, used_models
from ..syntax.workflow import AgentStateSpec, ApprovalStateSpec, ModelStateSpec

RULE = Rule(
    code="AC871",
    name="objective-of-nothing",
    title="objective for what never happens",
    why=(
        "An alert on a number that is never measured never goes off, and looks like an objective that is always "
        "met."
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
  slos:
    valid_output: 0.98  # <- AC871
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
  output: { schema: { type: object, properties: { done: { type: boolean } }, required: [done] } }
  slos:
    valid_output: 0.98
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Objectives on structured answers, tools, approvals, costs and evals where there are none."""
    for agent in program.agents.values():
        if agent.spec.slos is None:
            continue
        for key, reason in _idle(program, agent):
            if getattr(agent.spec.slos, key) is not None:
                yield RULE.at(
                    agent.span("slos", key, key=True),
                    f"`{key}` is an objective, and {reason}",
                    help=f"leave `{key}` out",
                )


def _may_ask(grant: Grant) -> bool:
    """Whether a person may be asked about a call: by the grant itself, or because of what was read before."""
    tool = grant.tool.spec
    return grant.spec.approval is not None or tool.effect != "read" or bool(tool.destinations)


def _idle(program: Program, agent: Agent) -> Iterator[tuple[str, str]]:
    states = [state.spec for state in agent.states.values()]
    models = program.project.spec.models if program.project else {}
    unpriced = [alias for alias in used_models(agent) if alias in models and models[alias].prices is None]
    grants = all_grants(agent)
    structured = any(
        isinstance(spec, AgentStateSpec | ModelStateSpec) and spec.output is not None for spec in states
    )
    implied = agent.spec.workflow is None and agent.spec.output is not None
    if not structured and not implied:
        yield "valid_output", "no state asks its model for structured output"
    if not grants:
        yield "tool_success", "the agent has no tools"
        yield "refusals", "the agent has no tools"
    asks = any(isinstance(spec, ApprovalStateSpec) for spec in states)
    if not asks and not any(_may_ask(grant) for grant in grants.values()):
        yield "approvals_waiting", "nobody is ever asked"
        yield "approval_time", "nobody is ever asked"
    if unpriced:
        yield "cost_per_success_usd", f"model `{unpriced[0]}` has no `prices`"
    evals = [one for one in program.evals.values() if one.spec.agent == agent.resource.name]
    if not evals:
        yield "eval_drift", "the project has no eval of this agent"
