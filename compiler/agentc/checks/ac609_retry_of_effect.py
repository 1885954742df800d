"""AC609: retry of an effect that is never repeated."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..program import Program, Tool
from ..syntax.workflow import ToolStateSpec

RULE = Rule(
    code="AC609",
    name="retry-of-effect",
    title="retry of an effect that is never repeated",
    why=(
        "A second try of an effect could do it twice. It is repeated only if the service recognises a "
        "repeated request by an idempotency key, so this `retry` does nothing."
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
    refund: { operation: createRefund, effect: send, retry: { max_attempts: 3 } }  # <- AC609
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
    get_ticket: { operation: getTicket, effect: read, retry: { max_attempts: 3 } }
    refund:
      operation: createRefund
      effect: send
      idempotency: { header: Idempotency-Key }
      retry: { max_attempts: 3 }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """`retry` on effects without idempotency: of the tool itself, and of the states that call it."""
    for tool in program.tools.values():
        if tool.spec.retry is not None and _once(tool):
            yield _finding(tool.span("retry", key=True), tool)
    for agent in program.agents.values():
        for state in agent.states.values():
            if isinstance(state.spec, ToolStateSpec) and state.spec.retry is not None:
                called = program.tools.get(state.spec.tool)
                if called is not None and _once(called):
                    yield _finding(agent.span(*state.path, "retry", key=True), called)


def _once(tool: Tool) -> bool:
    return tool.spec.effect != "read" and tool.spec.idempotency is None


def _finding(span: Span, tool: Tool) -> Diagnostic:
    return RULE.at(
        span,
        f"`{tool.name}` is never repeated: its effect is `{tool.spec.effect}` and it has no `idempotency`",
        help="declare `idempotency: { header: NAME }` if the service has such a header, or remove `retry`",
        notes=(Note("the tool is declared here", tool.span(key=True)),),
    )
