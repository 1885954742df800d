"""AC210: prompt without text."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..stepping import prompts

RULE = Rule(
    code="AC210",
    name="empty-prompt",
    title="prompt without text",
    why=(
        "A prompt is a template, or `file:` with the path of one. A model that is told nothing does anything."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: ""  # <- AC210
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


def check(program: Program) -> Iterator[Diagnostic]:
    """Prompts that are empty, or say both `text` and `file`."""
    for agent in program.agents.values():
        for path, prompt in prompts(agent):
            if prompt.text is not None and prompt.file is not None:
                yield RULE.at(agent.span(*path, key=True), "a prompt has `text` or `file`, not both")
            elif prompt.file is None and not (prompt.text or "").strip():
                yield RULE.at(
                    agent.span(*path),
                    f"`{path[-1]}` is empty",
                    help="write the prompt, or `file:` with its path",
                )
