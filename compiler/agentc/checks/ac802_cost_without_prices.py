"""AC802: cost limit without prices."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program
from ..stepping import used_models

RULE = Rule(
    code="AC802",
    name="cost-without-prices",
    title="cost limit without prices",
    why=(
        "A limit on cost counts tokens at the model's prices. Without prices the run costs "
        "nothing as far as the limit can tell."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key }  # <- AC802
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Models without prices that an agent with a cost limit uses."""
    if program.project is None:
        return
    models = program.project.spec.models
    limited = [agent for agent in program.agents.values() if agent.spec.limits.cost_usd is not None]
    for alias in sorted({alias for agent in limited for alias in used_models(agent)}):
        if alias in models and models[alias].prices is None:
            agent = next(agent for agent in limited if alias in used_models(agent))
            yield RULE.at(
                program.project.span("models", alias, key=True),
                f"model `{alias}` has no `prices`",
                help="add `prices: { input: …, output: … }` in US dollars for a million tokens",
                notes=(
                    Note(
                        f"agent `{agent.resource.name}` limits its cost here",
                        agent.span("limits", "cost_usd", key=True),
                    ),
                ),
            )
