"""AC213: undo names a tool that the toolset does not have."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC213",
    name="unknown-undo",
    title="undo names a tool that the toolset does not have",
    why=(
        "`undo` is the tool of the same toolset that takes a call back. People who approve a "
        "call are told that it exists."
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
    refund: { operation: createRefund, effect: send, undo: cancel }  # <- AC213
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
    """`undo` of a tool that is not in the toolset, or of the tool itself."""
    for toolset in program.toolsets.values():
        for tool in toolset.tools.values():
            undo = None if tool.spec.undo is None else tool.spec.undo.tool
            if undo is not None and (undo not in toolset.tools or undo == tool.local_name):
                others = [name for name in toolset.tools if name != tool.local_name]
                inner = tool.toolset.at("tools", tool.local_name, "undo", "tool")
                yield RULE.at(
                    tool.span("undo") if inner is None else inner.span,
                    f"toolset `{toolset.resource.name}` has no other tool `{undo}`",
                    help=did_you_mean(undo, others),
                )
