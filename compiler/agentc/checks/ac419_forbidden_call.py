"""AC419: grant that lets a call be made which is never allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Program
from ..syntax.assertions import CallAssertionSpec
from .asserted import Asserted, asserted_of, assertion_note, named

if TYPE_CHECKING:
    from ..forbidden import Broken
    from ..lowered import Lowered

RULE = Rule(
    code="AC419",
    name="forbidden-call",
    title="grant that lets a call be made which is never allowed",
    why=(
        "An AssertionSet says which calls are never made, or never without a person's approval. Whether a "
        "grant lets one through is decided for all arguments at once, and shown with such a call. What can't "
        "be decided counts as broken."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    calls:
      - { tool: desk.refund, when: { amount: { exclusiveMinimum: 20 } }, unasked: true }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC419
      where: { amount: { maximum: 50 } }
      approval: { by: [leads], when: { amount: { minimum: 40 } } }
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec:
  never:
    calls:
      - { tool: desk.refund, when: { amount: { exclusiveMinimum: 20 } }, unasked: true }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      approval: { by: [leads], when: { amount: { exclusiveMinimum: 20 } } }
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Grants that let a call of `never.calls` through: one finding a grant and assertion."""
    from ..forbidden import none_forbidden

    for asserted, about in asserted_of(program, agents):
        calls = asserted.spec.never.calls
        alike: dict[tuple[str, bool], list[CallAssertionSpec]] = {}
        for call in calls:
            alike.setdefault((call.tool, call.unasked), []).append(call)
        kept = {
            (lowered.name, key)
            for lowered in about
            for key, several in alike.items()
            if len(several) > 1 and key[0] in lowered.accesses and none_forbidden(lowered, several)
        }
        for index, call in enumerate(calls):
            key = (call.tool, call.unasked)
            left = tuple(
                lowered
                for lowered in about
                if (lowered.name, key) not in kept and call.tool not in lowered.misstated
            )
            yield from _broken(asserted, index, call, left)


def _broken(
    asserted: Asserted, index: int, call: CallAssertionSpec, about: tuple[Lowered, ...]
) -> Iterator[Diagnostic]:
    from ..forbidden import forbidden_call

    found: dict[Span, list[tuple[Lowered, Broken]]] = {}
    for lowered in about:
        grant = lowered.agent.grants.get(call.tool)
        said = None if grant is None else forbidden_call(lowered, call)
        if grant is not None and said is not None:
            found.setdefault(grant.span("tool"), []).append((lowered, said))
    for span, broken in found.items():
        first = broken[0][1]
        agents = named(one for one, _ in broken)
        how = "without an approval, which" if call.unasked else "in a way that"
        message = f"{agents} may call `{call.tool}` {how} is never allowed: {first.call}"
        if first.call is None:
            how = "without an approval" if call.unasked else "as is never allowed"
            message = f"it can't be ruled out that {agents} calls `{call.tool}` {how}: {first.unclear}"
        fix = "limit the arguments with `where`, or bind them"
        yield RULE.at(
            span,
            message,
            help=f"{fix}, or ask in `approval`" if call.unasked else fix,
            notes=(assertion_note(asserted, ("never", "calls", index), call.reason),),
        )
