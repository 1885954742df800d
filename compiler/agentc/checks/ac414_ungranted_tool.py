"""AC414: tool that nobody is granted."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..stepping import named_tools
from .grants import agents_known

RULE = Rule(
    code="AC414",
    name="ungranted-tool",
    title="tool that nobody is granted",
    why=("A tool without a grant is not in any bundle. It was forgotten in a permission set, or it can go."),
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
    look: { operation: getTicket, effect: read }  # <- AC414
    refund: { operation: createRefund, effect: send }
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


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools that no permission set grants; a tool that takes another one back is used by that one."""
    grants = [grant for each in program.permission_sets.values() for grant in each.spec.grants]
    if not agents_known(program) or any(grant.tool not in program.tools for grant in grants):
        return
    granted = {grant.tool for grant in grants}
    states = [state for agent in program.agents.values() for state in agent.states.values()]
    wanted = {tool for state in states for tool, _ in named_tools(state)}  # AC402 asks for their grants
    for toolset in program.toolsets.values():
        name = toolset.resource.name
        undoing = {f"{name}.{tool.spec.undo.tool}" for tool in toolset.tools.values() if tool.spec.undo}
        unused = [tool for tool in toolset.tools.values() if tool.name not in granted | wanted | undoing]
        if len(unused) == len(toolset.tools):
            yield RULE.at(
                toolset.resource.name_span(),
                f"no permission set grants a tool of toolset `{name}`",
                help="grant the tools that an agent needs, or remove the toolset",
            )
            continue
        for tool in unused:
            yield RULE.at(
                tool.span(key=True),
                f"no permission set grants `{tool.name}`",
                help=f"remove the tool, or add `- tool: {tool.name}` to a permission set",
            )
