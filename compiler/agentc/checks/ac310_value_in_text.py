"""AC310: value that can't be used here in a template."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC310",
    name="value-in-text",
    title="value that can't be used here in a template",
    why=(
        "A `for` goes over a list, and text holds values of known types. Anything else would "
        "be written as its Python form or fail in the middle of a run."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: "{% for x in input.ticket_id %}{{ x }}{% endfor %}"  # <- AC310
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
  instructions: Help with {{ input.ticket_id }}.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)
