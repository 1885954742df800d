"""AC813: permission test that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Note, Rule
from ..places import place
from ..program import Program

if TYPE_CHECKING:
    from ..access import Verdict
    from ..lowered import Lowered
    from ..permission_tests import Trial

RULE = Rule(
    code="AC813",
    name="permission-test-fails",
    title="permission test that fails",
    why=(
        "A permission test says what must become of a call. The broker's own policy, which decides at run "
        "time, says something else: either a change let the agent do more or less than was meant, or the "
        "test is out of date."
    ),
    bad="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: a refund of 60 is made
      tool: desk.refund
      arguments: { amount: 60 }
      expect: allowed  # <- AC813
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
""",
    good="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: a refund of 60 is refused
      tool: desk.refund
      arguments: { amount: 60 }
      expect: { outcome: refused, rule: AR201 }
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Cases of permission tests that come out otherwise than they expect."""
    from ..permission_tests import failures, trials

    for test in program.permission_tests.values():
        lowered = agents.get(test.spec.agent)
        if lowered is None:
            continue
        for trial, verdict, states in failures(lowered.judge, trials(lowered, test)):
            yield _finding(program, trial, verdict, states)


def _finding(program: Program, trial: Trial, verdict: Verdict, states: tuple[str, ...]) -> Diagnostic:
    case = trial.case
    expected = case.expect
    wanted = " ".join(
        [
            f"`{expected.outcome}`",
            *([f"by `{expected.rule}`"] if expected.rule else []),
            *(
                [f"by {', '.join(f'`{name}`' for name in expected.by) or 'anybody'}"]
                if expected.by is not None
                else []
            ),
            *([f"because of `{expected.because}`"] if expected.because else []),
        ]
    )
    where = ", ".join(f"`{state}`" for state in states)
    return RULE.at(
        trial.test.span("cases", trial.index, "expect"),
        f"`{case.name}` is expected to be {wanted}, and in {where} `{case.tool}` {in_words(verdict)}",
        help="correct what the test expects, or the permissions; "
        f"`agentc why {trial.test.spec.agent} {case.tool}` says more",
        notes=tuple(Note("decided here", place(program, at)) for at in dict.fromkeys(verdict.at)),
    )


def in_words(verdict: Verdict) -> str:
    """What became of a call, as the end of a sentence."""
    if verdict.outcome == "refused":
        return f"is refused by {verdict.code}: {verdict.message}"
    if verdict.outcome == "asks":
        who = " or ".join(f"`{group}`" for group in verdict.by) or "a person"
        return f"asks {who}: {'; '.join(verdict.reasons)}"
    return "is allowed, and nobody is asked"
