"""AC805: environment lacks a variable or secret."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..references import Reference, parse_reference
from ..stepping import endpoints, secrets

RULE = Rule(
    code="AC805",
    name="incomplete-environment",
    title="environment lacks a variable or secret",
    why=(
        "The same bundle runs in every environment. One that lacks a server or a secret fails "
        "at its first call there."
    ),
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
    production:  # <- AC805
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
  default_environment: local
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
    production:
      variables: { DESK_URL: https://desk.example.com }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
  default_environment: local
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Environments without something that is used and that another environment has."""
    if program.project is None:
        return
    environments = program.project.spec.environments
    variables = {
        ".".join(reference.path)
        for _, _, text in endpoints(program)
        if isinstance(reference := parse_reference(text), Reference) and reference.root == "env"
    }
    used = {name for _, _, name in secrets(program)}
    for name, environment in environments.items():
        others = [other for key, other in environments.items() if key != name]
        lacking = sorted(
            variable
            for variable in variables - environment.variables.keys()
            if any(variable in other.variables for other in others)
        )
        lacking += sorted(
            secret
            for secret in used - environment.secrets.keys()
            if any(secret in other.secrets for other in others)
        )
        if lacking:
            names = ", ".join(f"`{item}`" for item in lacking)
            yield RULE.at(
                program.project.span("environments", name, key=True),
                f"environment `{name}` has no {names}",
                help="add what other environments have",
            )
