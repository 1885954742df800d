"""AC417: grant of an operation that is never allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Grant, Program, Tool
from ..syntax.assertions import OperationAssertionSpec
from .asserted import asserted_of, assertion_note, named

if TYPE_CHECKING:
    from ..lowered import Lowered

RULE = Rule(
    code="AC417",
    name="forbidden-operation",
    title="grant of an operation that is never allowed",
    why=(
        "An AssertionSet says which operations no agent may ever be granted. It is decided on what the tools "
        "really do: by their effect, or by the method and path of their request, whatever they are called."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    operations:
      - { toolset: desk, method: POST, path: /refunds, reason: Refunds are paid by people. }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC417
      where: { amount: { maximum: 50 } }
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    operations:
      - { effect: delete, reason: Nothing is deleted without a person. }
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


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Grants whose tool is one of those that `never.operations` names: one finding a grant and assertion."""
    for asserted, about in asserted_of(program, agents):
        for index, operation in enumerate(asserted.spec.never.operations):
            broken: dict[Span, tuple[Grant, list[Lowered]]] = {}
            for lowered in about:
                for grant in lowered.agent.grants.values():
                    if _is(grant.tool, operation):
                        broken.setdefault(grant.span("tool"), (grant, []))[1].append(lowered)
            for span, (grant, having) in broken.items():
                yield RULE.at(
                    span,
                    f"{named(having)} may call `{grant.tool.name}`, which {_does(grant.tool, operation)}, and "
                    "that is never allowed",
                    help="remove the grant; only who answers for the assertion can change what it says",
                    notes=(assertion_note(asserted, ("never", "operations", index), operation.reason),),
                )


def _is(tool: Tool, asserted: OperationAssertionSpec) -> bool:
    """Whether all that the assertion says holds of the tool. One that says nothing is AC423's."""
    operation = tool.operation
    assert operation is not None  # only such agents are lowered
    said = (
        (asserted.effect, tool.spec.effect),
        (asserted.tool, tool.name),
        (asserted.toolset, tool.toolset.name),
        (asserted.method, operation.method),
        (asserted.path, operation.path),
    )
    wanted = [(want, is_) for want, is_ in said if want is not None]
    return bool(wanted) and all(want == is_ for want, is_ in wanted)


def _does(tool: Tool, asserted: OperationAssertionSpec) -> str:
    operation = tool.operation
    assert operation is not None  # as in `_is`
    if asserted.method is not None or asserted.path is not None:
        return f"is `{operation.method} {operation.path}`"
    if asserted.effect is not None:
        return f"has the effect `{asserted.effect}`"
    return f"is of the toolset `{tool.toolset.name}`" if asserted.tool is None else "is named"
