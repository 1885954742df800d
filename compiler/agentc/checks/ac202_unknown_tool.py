"""AC202: unknown tool."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, Span, did_you_mean
from ..program import Program
from ..stepping import named_tools

RULE = Rule(
    code="AC202",
    name="unknown-tool",
    title="unknown tool",
    why=("Tool names are compared exactly. A name that no toolset has would be refused on every call."),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_tickets  # <- AC202
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Tools that grants and states name and that their toolset does not have."""
    for permission_set in program.permission_sets.values():
        for index, grant in enumerate(permission_set.spec.grants):
            yield from _unknown(program, grant.tool, permission_set.span("grants", index, "tool"))
    for agent in program.agents.values():
        if agent.spec.workflow is not None:
            for state in agent.states.values():
                for tool, path in named_tools(state):
                    yield from _unknown(program, tool, agent.span(*path))


def _unknown(program: Program, tool: str, span: Span) -> Iterator[Diagnostic]:
    toolset = program.toolsets.get(tool.partition(".")[0])
    if toolset is not None and tool not in program.tools:
        yield RULE.at(
            span,
            f"toolset `{toolset.resource.name}` has no tool `{tool.partition('.')[2]}`",
            help=did_you_mean(tool, program.tools),
        )
