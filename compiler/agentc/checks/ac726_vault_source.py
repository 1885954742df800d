"""AC726: Vault can't be asked for a secret."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC726",
    name="vault-source",
    title="Vault can't be asked for a secret",
    why=(
        "A secret in Vault is read from the Vault of its environment, with a token that is itself a secret "
        "and found in a variable of the process or a file."
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
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { vault: { path: support/desk, field: token } }
      vault:
        address: https://vault.example.com:8200
        token: vault_token  # <- AC726
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
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { vault: { path: support/desk, field: token } }
        vault_token: { file: /run/secrets/vault-token }
      vault:
        address: https://vault.example.com:8200
        token: vault_token
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Secrets in Vault where an environment has none, and Vaults whose token is not there."""
    project = program.project
    if project is None:
        return
    for name, environment in project.spec.environments.items():
        at = ("environments", name)
        if environment.vault is None:
            for secret, source in environment.secrets.items():
                if source.vault is not None:
                    yield RULE.at(
                        project.span(*at, "secrets", secret, "vault", key=True),
                        f"environment `{name}` has no `vault`",
                        help="add `vault:` with its `address` and `token` to the environment",
                    )
            continue
        token = environment.vault.token
        local = [secret for secret, source in environment.secrets.items() if source.vault is None]
        if token in local:
            continue
        known = token in environment.secrets
        yield RULE.at(
            project.span(*at, "vault", "token"),
            f"the token `{token}` would have to be read with itself"
            if known
            else f"environment `{name}` has no secret `{token}`",
            help="name a secret with `env` or `file`" if known else did_you_mean(token, local),
        )
