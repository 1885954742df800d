"""AC911: a server that was not reached."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC911",
    name="new-server",
    title="a server that was not reached",
    why=(
        "A server of a tool, of access tokens, of a model or of secrets, in any environment; a host that may "
        "be private; a certificate authority that vouches for one. It is found whichever file names it."
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
      variables: { DESK_URL: "https://desk.example.com" }  # <- AC911
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
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
