"""AC874: prompt cache that can't be asked for, or whose cost is not known."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC874",
    name="idle-prompt-cache",
    title="prompt cache that does nothing, or whose cost is not known",
    why=(
        "`prompt_cache` marks what Anthropic's API keeps; the other providers cache by themselves, and it does "
        "nothing. Writing to the cache costs more than input does: without `cache_write` among the prices, "
        "costs and budgets count too little."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
      prompt_cache: true  # <- AC874
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
      private_hosts: ["127.0.0.1:8080"]
  approvers:
    leads: [ana@example.com]
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: anthropic
      model: claude-sonnet-4-5
      secret: openai_api_key
      prices: { input: 3, output: 15, cached_input: 0.3, cache_write: 3.75 }
      max_sensitivity: confidential
      prompt_cache: true
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
      private_hosts: ["127.0.0.1:8080"]
  approvers:
    leads: [ana@example.com]
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Each model with a prompt cache that its provider is not asked for, or without its price."""
    for alias, model in program.project.spec.models.items() if program.project else ():
        if not model.prompt_cache:
            continue
        assert program.project is not None
        if model.provider != "anthropic":
            yield RULE.at(
                program.project.span("models", alias, "prompt_cache", key=True),
                f"`{model.provider}` keeps prompts by itself, and is not asked to",
                help="remove `prompt_cache`",
            )
        elif model.prices is not None and model.prices.cache_write is None:
            yield RULE.at(
                program.project.span("models", alias, "prices", key=True),
                f"model `{alias}` has a `prompt_cache`, and no price for what is written to it",
                help="add `cache_write: …` to its `prices`",
            )
