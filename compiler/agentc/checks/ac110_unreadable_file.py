"""AC110: a file that can't be read."""

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC110",
    name="unreadable-file",
    title="file can't be read",
    why="The compiler reads regular files inside the project and nothing else: a file that is missing, or "
    "that a link takes from elsewhere, would make a bundle that the repo does not explain.",
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: { file: prompts/triage.md }  # <- AC110
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string } }
      required: [ticket_id]
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
  instructions: { file: prompts/triage.md }
  input:
    schema:
      type: object
      properties: { ticket_id: { type: string } }
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
# file: prompts/triage.md
Help the customer.
""",
)


def report(
    span: Span,
    path: str,
    reason: str,
    help_: str | None = "paths are relative to the folder of `agentc.yaml`",
) -> Diagnostic:
    """The file `path`, named at `span` or itself the file of `span`, can't be read because of `reason`."""
    return RULE.at(span, f"can't read `{path}`: {reason}", help=help_)
