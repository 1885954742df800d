"""AC810: level of a rule that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import ASSERTIONS, Diagnostic, Rule, is_about_change, is_always_error
from ..program import Program

RULE = Rule(
    code="AC810",
    name="unknown-rule",
    title="level of a rule that does not exist",
    why=("A misspelled code would leave the level of the rule as it is."),
    bad="""\
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
  rules: { AC499: ignore }  # <- AC810
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
  rules: { AC804: error }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Codes in the project's `rules` that no rule has, or whose level can't be set."""
    if program.project is None:
        return
    from .registry import RULES

    for code in program.project.spec.rules:
        span = program.project.span("rules", code, key=True)
        if code not in RULES:
            yield RULE.at(span, f"no rule `{code}`", help="`agentc explain` lists the rules")
        elif is_about_change(code):
            yield RULE.at(
                span,
                f"the level of {code} can't be set",
                help="`agentc diff` finds it between two versions, and its --fail-on says what fails",
            )
        elif is_always_error(code):
            yield RULE.at(
                span,
                f"the level of {code} can't be set",
                help="it is always an error: change the assertion, where it stands"
                if code in ASSERTIONS
                else "it is always an error: without it nothing else can be checked or built",
            )
