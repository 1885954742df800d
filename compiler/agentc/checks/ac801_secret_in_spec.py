"""AC801: secret written in a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..stepping import first_line, scalars

RULE = Rule(
    code="AC801",
    name="secret-in-spec",
    title="secret written in a spec",
    why=(
        "Specs are read by many and kept for ever. A secret is named in a spec and found in the environment."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Use the key sk-proj-4f8a1c9e7b2d6f3a5c8e1b4d7f0a2c6e.  # <- AC801
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


#: Shapes of credentials that are certain enough to be an error, each with the words for it.
_SHAPES = (
    (re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{24,}"), "an API key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"), "an access token"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "an access key"),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"), "an API key"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}"), "an access token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "a token"),
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Values anywhere in a spec that look like credentials. The value itself is not shown."""
    for resource in program.resources:
        for scalar in scalars(resource.node):
            if isinstance(scalar.value, str):
                for shape, words in _SHAPES:
                    if shape.search(scalar.value):
                        yield RULE.at(
                            first_line(scalar.span),
                            f"this looks like {words}",
                            help="revoke it, declare a secret in the environments, and name that here",
                        )
                        break
