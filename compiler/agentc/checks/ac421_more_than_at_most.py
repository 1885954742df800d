"""AC421: grant beyond the permission set that an agent may have at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..program import Grant, Program
from .asserted import asserted_of, assertion_note, named

if TYPE_CHECKING:
    from ..access import Gain
    from ..lowered import Lowered

RULE = Rule(
    code="AC421",
    name="more-than-at-most",
    title="grant beyond the permission set that an agent may have at most",
    why=(
        "`at_most` of an AssertionSet names a PermissionSet that agents may not go beyond: in what they may "
        "call, with which arguments, with whose approval, how often, and after what was read. What can't be "
        "compared counts as beyond."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec: { at_most: ceiling }
# file: ceiling.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: ceiling, version: 1.0.0, owner: security }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 100 } }
      approval: { by: [leads], when: { amount: { exclusiveMinimum: 40 } } }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC421
      where: { amount: { maximum: 50 } }
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: money, version: 1.0.0, owner: security }
spec: { at_most: ceiling }
# file: ceiling.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: ceiling, version: 1.0.0, owner: security }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 100 } }
      approval: { by: [leads], when: { amount: { exclusiveMinimum: 40 } } }
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
    """Grants beyond `at_most`: one finding a grant and assertion set."""
    from ..access import Gain, gains
    from ..lowered import accesses_of

    for asserted, about in asserted_of(program, agents):
        ceiling = program.permission_sets.get(asserted.spec.at_most or "")
        if ceiling is None:
            continue
        found: dict[Span, tuple[Grant, tuple[Gain, ...], list[Lowered]]] = {}
        for lowered in about:
            allowed = accesses_of(program, ceiling, lowered)
            for name, access in lowered.accesses.items():
                grant = lowered.agent.grants[name]
                if name in lowered.misstated:
                    continue
                beyond: tuple[Gain, ...] = (Gain(f"is not granted by `{ceiling.name}`", "arguments"),)
                if name in allowed:
                    beyond = tuple(gains(allowed[name], access, lowered.program))
                if beyond:
                    found.setdefault(grant.span("tool"), (grant, beyond, []))[2].append(lowered)
        for span, (grant, beyond, having) in found.items():
            yield RULE.at(
                span,
                f"{named(having)} may do more than `{ceiling.name}` allows: `{grant.tool.name}` {beyond[0].what}",
                help=f"narrow the grant; only who answers for `{asserted.name}` and `{ceiling.name}` can allow more",
                notes=(
                    *(Note(f"`{grant.tool.name}` {gain.what}") for gain in beyond[1:4]),
                    Note("what is allowed at most", ceiling.name_span()),
                    assertion_note(asserted, ("at_most",), None),
                ),
            )
