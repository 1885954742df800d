"""AC707: server is not known."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import document_span
from ..diagnostics import Diagnostic, Note, Rule
from ..program import Program, Toolset
from ..stepping import base_urls, url_problem

RULE = Rule(
    code="AC707",
    name="no-server",
    title="server is not known",
    why=(
        "Requests go to one base URL. It must be absolute, and it stands in the toolset or in the document."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }  # <- AC707
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
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
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Toolsets without a usable base URL, and base URLs that are not absolute http(s) URLs."""
    for toolset in program.toolsets.values():
        if toolset.resource.spec.server is None and toolset.document is not None:
            yield from _from_document(toolset)
    for resource, path, text in base_urls(program):
        problem = url_problem(text)
        if problem is not None:
            yield RULE.at(
                resource.span(*path),
                f"`{text}`: {problem}",
                help="write it as `https://host` or `https://host/base`",
            )


def _from_document(toolset: Toolset) -> Iterator[Diagnostic]:
    for tool in toolset.tools.values():
        if tool.operation is None or tool.spec.server is not None:
            continue
        problem = tool.operation.server_problem()
        if problem is not None:
            notes = (
                Note(reason.message, document_span(toolset, reason))
                for reason in tool.operation.unusable_servers[:3]
            )
            yield RULE.at(
                toolset.resource.name_span(),
                problem.message,
                help=f"{problem.help}; a variable of the environments is written `${{env.NAME}}`",
                notes=tuple(notes),
            )
            return
