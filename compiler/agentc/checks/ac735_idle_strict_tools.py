"""AC735: strict tools are asked of a provider that has none."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC735",
    name="idle-strict-tools",
    title="strict tools are asked of a provider that has none",
    why=(
        "`strict_tools` changes the form in which `openai` and what is compatible with it are told of tools. "
        "The other wire formats have no such form: the setting promises something that does not happen. "
        "Arguments are checked against their whole schema with every provider."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: anthropic
      model: claude-haiku-4-5
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
      strict_tools: true  # <- AC735
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
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
      strict_tools: true
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
    """Each model whose provider does not know the setting."""
    for alias, model in program.project.spec.models.items() if program.project else ():
        if model.strict_tools and model.provider != "openai":
            assert program.project is not None
            yield RULE.at(
                program.project.span("models", alias, "strict_tools", key=True),
                f"`{model.provider}` has no strict form of tools",
                help="remove `strict_tools`",
            )
