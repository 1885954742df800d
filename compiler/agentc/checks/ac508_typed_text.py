"""AC508: typed answer that may hold a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from agentc_runtime.interpret.typed import MAX_IDENTIFIER, schema_carries_text

from ..diagnostics import Diagnostic, Rule
from ..predicates import check_schema, typed_schema
from ..program import Program

RULE = Rule(
    code="AC508",
    name="typed-text",
    title="typed answer that may hold a sentence",
    why=(
        "An answer that satisfies `typed` no longer counts as untrusted content. "
        "So the schema may admit nothing that a model could read as an instruction."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket:
      operation: getTicket
      effect: read
      output: { fields: [id, priority], typed: { properties: { id: { maxLength: 20 } } } }  # <- AC508
    refund: { operation: createRefund, effect: send }
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket:
      operation: getTicket
      effect: read
      output:
        fields: [id, priority]
        typed: { properties: { id: { type: string, pattern: "T-[0-9]{1,6}" }, priority: { type: integer } } }
    refund: { operation: createRefund, effect: send }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Schemas under `typed` that admit text."""
    for toolset in program.toolsets.values():
        for tool in toolset.tools.values():
            typed = tool.spec.output.typed
            node = toolset.resource.at("tools", tool.local_name, "output", "typed")
            if typed is None or node is None or check_schema(node):
                continue  # AC301 to AC303 say what is wrong with the schema by itself
            if schema_carries_text(typed_schema(typed)):
                yield RULE.at(
                    tool.span("output", "typed", key=True),
                    f"an answer of `{tool.name}` that satisfies `typed` may hold a sentence",
                    help=f"use numbers, enums, dates, or texts with a pattern such as `[A-Z0-9_-]{{1,{MAX_IDENTIFIER}}}`",
                )
