"""What the checks of assertions share: whom an assertion is about, and how a finding refers to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Note
from ..program import Program
from ..resources import Resource, Step
from ..syntax.assertions import AssertionSetSpec

if TYPE_CHECKING:
    from ..lowered import Lowered

Asserted = Resource[AssertionSetSpec]


def asserted_of(
    program: Program, agents: Mapping[str, Lowered]
) -> Iterator[tuple[Asserted, tuple[Lowered, ...]]]:
    """Each assertion set with the agents that it is about."""
    for asserted in program.assertion_sets.values():
        names = asserted.spec.agents or tuple(agents)
        yield asserted, tuple(agents[name] for name in dict.fromkeys(names) if name in agents)


def assertion_note(asserted: Asserted, path: tuple[Step, ...], reason: str | None) -> Note:
    """The note that shows an assertion, with its reason."""
    return Note(f"asserted by `{asserted.name}`" + (f": {reason}" if reason else ""), asserted.span(*path))


def named(agents: Iterable[Lowered]) -> str:
    """`agent `triage` and agent `reader``."""
    return " and ".join(f"agent `{one.name}`" for one in agents)
