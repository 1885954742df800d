"""AC114: a document that is not a resource of this language."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC114",
    name="unknown-kind",
    title="not a resource of agentc/v1",
    why="Every document says its `apiVersion` and `kind`. A document that is neither known nor refused "
    "would be a permission that nobody enforces.",
    bad="""\
# file: extra.yaml
apiVersion: agentc/v1
kind: Permissions  # <- AC114
metadata: { name: more, version: 1.0.0, owner: support }
spec: {}
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


def report(span: Span, message: str, help_: str | None) -> Diagnostic:
    """The header at `span` is not one that the compiler knows."""
    return RULE.at(span, message, help=help_)
