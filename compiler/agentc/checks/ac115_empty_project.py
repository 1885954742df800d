"""AC115: a project without anything to compile."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC115",
    name="empty-project",
    title="nothing to compile",
    why="A check that looked at nothing must not pass: most often the path is wrong.",
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1  # <- AC115
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec: {}
# file: openapi.yaml
# absent
# file: toolset.yaml
# absent
# file: permissions.yaml
# absent
# file: agent.yaml
# absent
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


def report(span: Span, message: str, help_: str) -> Diagnostic:
    """The project at `span` holds nothing that can be compiled."""
    return RULE.at(span, message, help=help_)
