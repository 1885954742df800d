"""AC201: unknown toolset."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, Span, did_you_mean
from ..program import Program
from ..stepping import named_tools

RULE = Rule(
    code="AC201",
    name="unknown-toolset",
    title="unknown toolset",
    why=(
        "A grant names a tool as `toolset.tool`. A toolset that does not exist grants "
        "nothing, which is not what the author meant."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: dsek.get_ticket  # <- AC201
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


_NONE = "the project has no toolset: add a resource of kind `Toolset`"


def check(program: Program) -> Iterator[Diagnostic]:
    """Toolsets that grants and states name and that are not there."""
    for permission_set in program.permission_sets.values():
        for index, grant in enumerate(permission_set.spec.grants):
            yield from _unknown(program, grant.tool, permission_set.span("grants", index, "tool"))
    for agent in program.agents.values():
        for state in agent.states.values():
            for tool, path in named_tools(state):
                yield from _unknown(program, tool, agent.span(*path))


def _unknown(program: Program, tool: str, span: Span) -> Iterator[Diagnostic]:
    name = tool.partition(".")[0]
    if name not in program.toolsets and not program.broken.hides("Toolset", name):
        yield RULE.at(span, f"unknown toolset `{name}`", help=did_you_mean(name, program.toolsets) or _NONE)
