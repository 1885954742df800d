"""The last findings: those that need the program as the runtime sees it, and the decisions of its broker.

It is imported for projects that have assertions or permission tests only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from .checks import (
    ac417_forbidden_operation,
    ac418_forbidden_host,
    ac419_forbidden_call,
    ac420_forbidden_flow,
    ac813_permission_test_fails,
    ac814_untested_grant,
)
from .diagnostics import Diagnostic
from .lowered import Lowered, can_lower, lower_agents
from .program import Program

Decision: TypeAlias = Callable[[Program, Mapping[str, Lowered]], Iterator[Diagnostic]]

#: The decisions, in the order in which they are made.
DECISIONS: Final[tuple[Decision, ...]] = (
    ac417_forbidden_operation.check,
    ac418_forbidden_host.check,
    ac419_forbidden_call.check,
    ac420_forbidden_flow.check,
    ac813_permission_test_fails.check,
    ac814_untested_grant.check,
)


def decide(program: Program, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """What assertions and permission tests find. Nothing when what was `found` leaves no program to judge."""
    if not can_lower(program, found):
        return
    agents = lower_agents(program)
    for decision in DECISIONS:
        yield from decision(program, agents)
