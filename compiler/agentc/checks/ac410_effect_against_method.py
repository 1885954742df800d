"""AC410: effect that contradicts the HTTP method."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC410",
    name="effect-against-method",
    title="effect that contradicts the HTTP method",
    why=(
        "Flow rules, approvals and retries go by the declared effect. A call that is declared `read` "
        "and changes something escapes them; some services do search with POST, so this is a warning."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: read }  # <- AC410
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
    level="warning",
)


_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools that read with a method that changes, and tools that change with a method that reads."""
    for tool in program.tools.values():
        if tool.operation is None:
            continue
        method, effect = tool.operation.method, tool.spec.effect
        if effect == "read" and method not in _SAFE:
            help_ = "declare what it does: `create`, `update`, `delete` or `send`"
            if method == "POST":
                help_ += "; if it only searches, say so: `# agentc: ignore AC410 - REASON`"
            yield RULE.at(
                tool.span("effect"), f"`{tool.name}` is declared `read` and is a `{method}`", help=help_
            )
        elif effect != "read" and method in _SAFE:
            yield RULE.at(
                tool.span("effect"),
                f"`{tool.name}` is declared `{effect}` and is a `{method}`, which should change nothing",
                help="declare it `read`, if it only reads; else mind that a `GET` may be repeated on the way",
            )
