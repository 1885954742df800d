"""AC806: secret without one source."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC806",
    name="secret-source",
    title="secret without one source",
    why=("A secret has one source: a variable of the process, a file, or Vault."),
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
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: {} }  # <- AC806
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
    """Secrets with no source, or with two."""
    if program.project is None:
        return
    for name, environment in program.project.spec.environments.items():
        for secret, source in environment.secrets.items():
            sources = [one for one in (source.env, source.file, source.vault) if one is not None]
            if len(sources) != 1:
                yield RULE.at(
                    program.project.span("environments", name, "secrets", secret, key=True),
                    f"secret `{secret}` has {'more than one source' if sources else 'no source'}",
                    help="write one of `env: NAME`, `file: PATH` and `vault: { path, field }`",
                )
