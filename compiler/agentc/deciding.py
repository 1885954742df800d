"""The last findings: those that need the program as the runtime sees it, and the decisions of its broker.

It is imported for projects that have assertions, permission tests or hand-offs only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from .checks import (
    ac417_forbidden_operation,
    ac418_forbidden_host,
    ac419_forbidden_call,
    ac420_forbidden_flow,
    ac421_more_than_at_most,
    ac422_beyond_baseline,
    ac640_handoff_wider,
    ac812_permission_test_of_nothing,
    ac813_permission_test_fails,
    ac814_untested_grant,
)
from .diagnostics import Diagnostic, within
from .lowered import Lowered, can_lower, lower_agents
from .program import Program

Decision: TypeAlias = Callable[[Program, Mapping[str, Lowered]], Iterator[Diagnostic]]

#: The decisions, in the order in which they are made.
DECISIONS: Final[tuple[Decision, ...]] = (
    ac417_forbidden_operation.check,
    ac418_forbidden_host.check,
    ac419_forbidden_call.check,
    ac420_forbidden_flow.check,
    ac421_more_than_at_most.check,
    ac422_beyond_baseline.check,
    ac640_handoff_wider.check,
    ac813_permission_test_fails.check,
    ac814_untested_grant.check,
)


def decide(program: Program, found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """What assertions and permission tests find. Nothing when what was `found` leaves no program to judge.

    A permission test in which something was found already is not carried out, and then nothing is said to be
    untested either. Nor is a call of a tool judged whose grant is misstated: one mistake, one finding.
    """
    if not can_lower(program, found):
        return
    agents = lower_agents(program, found)
    wrong = [one.span for one in found if one.code == ac812_permission_test_of_nothing.RULE.code]
    sound = {
        name: test
        for name, test in program.permission_tests.items()
        if not any(within(span, test.node.span) for span in wrong)
    }
    judged = replace(program, permission_tests=sound)
    for decision in DECISIONS:
        if not (wrong and decision is ac814_untested_grant.check):
            yield from decision(judged, agents)
