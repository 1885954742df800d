"""AC904: a safeguard of the project that is gone, or weaker."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC904",
    name="safeguard-removed",
    title="a safeguard of the project that is gone, or weaker",
    why=(
        "Assertions, permission tests, the levels of rules and suppressions are what the next change is held to, and "
        "approver groups and owners of acceptances are who is asked. A change that weakens them lets agents do no "
        "more today, and makes it easier tomorrow. Bundles hold none of it: it is compared between projects."
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
  approvers: { leads: [ana@example.com, eve@example.com] }  # <- AC904
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
