"""AC217: destination that the tool does not have as an argument."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..schematypes import properties_of

RULE = Rule(
    code="AC217",
    name="unknown-destination",
    title="destination that the tool does not have as an argument",
    why=(
        "A destination is an argument that says where data, money or access goes. "
        "A misspelled one would be asked about by nobody."
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
    get_ticket: { operation: getTicket, effect: read }
    refund:
      operation: createRefund
      effect: send
      destinations: [acount]  # <- AC217
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
    get_ticket: { operation: getTicket, effect: read }
    refund:
      operation: createRefund
      effect: send
      destinations: [ticket_id]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Destinations that are no arguments of their operation."""
    for toolset in program.toolsets.values():
        for tool in toolset.tools.values():
            if tool.operation is None:
                continue
            arguments = properties_of(tool.operation.arguments)
            for index, name in enumerate(tool.spec.destinations):
                if name not in arguments:
                    yield RULE.at(
                        tool.span("destinations", index),
                        f"`{tool.name}` has no argument `{name}`",
                        help=did_you_mean(name, arguments),
                    )
