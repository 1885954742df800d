"""AC919: a change that could not be compared."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC919",
    name="not-compared",
    title="a change that could not be compared",
    why=(
        "What an agent may do is not known when the document of its tools is not there, or can't be used, though "
        "its project has made that less than an error. If any file of the project has changed, the change counts "
        "as wider: nobody can say that it is not. The same holds for what this version of agentc does not know."
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
  rules: { AC702: warning }
# file: openapi.yaml
# absent
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }  # <- AC919
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
