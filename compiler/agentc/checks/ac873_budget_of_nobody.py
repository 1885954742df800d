"""AC873: budget that can't be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostic, Rule
from ..program import Agent, Program
from ..stepping import used_models

RULE = Rule(
    code="AC873",
    name="budget-of-nobody",
    title="budget that can't be kept",
    why=(
        "What runs cost together is counted under a field of their session, at the prices of the models. Without "
        "the field, or with one that may be missing, and without prices every run would be refused (AR541)."
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
  session:
    schema:
      type: object
      properties: { tenant: { type: string } }
      required: [tenant]
  permissions: [triage]
  limits:
    cost_usd: 0.5
    cost_per_tenant_usd: 20
    tenant_key: customer  # <- AC873
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
  session:
    schema:
      type: object
      properties: { tenant: { type: string } }
      required: [tenant]
  permissions: [triage]
  limits:
    cost_usd: 0.5
    cost_per_tenant_usd: 20
    tenant_key: tenant
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Budgets without their key, keys that a session may lack, and models without prices."""
    for agent in program.agents.values():
        for budget, key in (("cost_per_session_usd", "session_key"), ("cost_per_tenant_usd", "tenant_key")):
            yield from _key(agent, budget, key)
        yield from _prices(program, agent)


def _key(agent: Agent, budget: str, key: str) -> Iterator[Diagnostic]:
    limits = agent.spec.limits
    field = getattr(limits, key)
    if getattr(limits, budget) is None:
        if field is not None:
            yield RULE.at(
                agent.span("limits", key, key=True),
                f"`{key}` names whose budget it is, and there is no `{budget}`",
                help=f"add `{budget}`, or remove `{key}`",
            )
        return
    if field is None:
        yield RULE.at(
            agent.span("limits", budget, key=True),
            f"`{budget}` is counted for nobody",
            help=f"add `{key}`: the field of the agent's session that says whose a run is",
        )
        return
    required = _required(agent)
    if field not in required:
        known = ", ".join(f"`{name}`" for name in sorted(required)) or "none"
        yield RULE.at(
            agent.span("limits", key),
            f"the agent's session has no field `{field}` that is always there",
            help=f"name a required one: {known}",
        )


def _required(agent: Agent) -> set[str]:
    session = agent.spec.session
    schema = None if session is None else session.schema_
    if not isinstance(schema, Mapping):
        return set()
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list | tuple):
        return set()
    return {name for name in required if isinstance(name, str) and name in properties}


def _prices(program: Program, agent: Agent) -> Iterator[Diagnostic]:
    models = program.project.spec.models if program.project else {}
    for budget in ("cost_per_session_usd", "cost_per_tenant_usd", "cost_per_day_usd"):
        if getattr(agent.spec.limits, budget) is None:
            continue
        for alias in used_models(agent):
            if alias in models and models[alias].prices is None:
                yield RULE.at(
                    agent.span("limits", budget, key=True),
                    f"`{budget}` is counted in prices, and model `{alias}` has none",
                    help="add `prices: { input: …, output: … }` to the model in the project",
                )
        return
