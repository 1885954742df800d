"""AC912: a secret or scope that was not used."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC912",
    name="new-secret",
    title="a secret or scope that was not used",
    why=(
        "A credential more is what its service lets it do more. Scopes of access tokens are those that the "
        "granted operations need."
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
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_ADMIN } }  # <- AC912
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com], juniors: [bo@example.com] }
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
  approvers: { leads: [ana@example.com], juniors: [bo@example.com] }
""",
)
