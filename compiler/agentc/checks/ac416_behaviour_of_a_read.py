"""AC416: pagination or cache of a tool that does more than read."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC416",
    name="behaviour-of-a-read",
    title="pagination or cache of a tool that does more than read",
    why=(
        "Every page is one more request. What an approval and a quota have let through once must not "
        "happen several times. An effect that is answered from a cache has not happened at all."
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
      pagination: { style: cursor, argument: currency, items: id, next: id }  # <- AC416
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
    refund: { operation: createRefund, effect: send }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools with pages or a cache whose effect is not `read`."""
    for tool in program.tools.values():
        if tool.spec.effect == "read":
            continue
        for key in ("pagination", "cache"):
            if getattr(tool.spec, key) is not None:
                yield RULE.at(
                    tool.span(key, key=True),
                    f"`{tool.name}` has the effect `{tool.spec.effect}`, and `{key}` is for `read`",
                    help=f"take `{key}` out",
                )
