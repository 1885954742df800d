"""Whether one region is inside another: equal text, then the structural search, then z3."""

from __future__ import annotations

from typing import Final

from agentc_runtime.strictjson import StrictJsonError, check

from .answers import Answer, Comparison, Escapes, Included, Limits, Region, Undecided
from .arena import Arena
from .budget import Budget, GaveUpError, SpentError
from .formulas import Node
from .outcomes import Nothing, Unclear
from .regions import contains, formula, identical
from .search import Search
from .solver import Solver

LIMITS: Final = Limits()


def includes(wide: Region, narrow: Region, *, limits: Limits = LIMITS) -> Answer:
    """Whether every value of `narrow` is one of `wide`, of those that the runtime reads (nested up to 64).

    `Escapes` holds a value of `narrow` that is not in `wide`; jsonschema-rs has confirmed both. Never raises
    for what a schema says: what can't be read or takes too long is `Undecided`, with the reason.
    """
    return _Pair(wide, narrow, limits).second_in_first()


def compare(old: Region, new: Region, *, limits: Limits = LIMITS) -> Comparison:
    """How `new` relates to `old`: `includes`, both ways."""
    pair = _Pair(old, new, limits)
    return Comparison(gained=pair.second_in_first(), lost=pair.first_in_second())


class _Pair:
    """Two regions, each read once."""

    def __init__(self, first: Region, second: Region, limits: Limits) -> None:
        self._first = first
        self._second = second
        self._limits = limits
        self._arena = Arena()
        self._formulas: tuple[Node, Node] | None = None

    def second_in_first(self) -> Answer:
        """Whether the second is inside the first."""
        return self._answer(self._first, self._second, swapped=False)

    def first_in_second(self) -> Answer:
        """Whether the first is inside the second."""
        return self._answer(self._second, self._first, swapped=True)

    def _answer(self, wide: Region, narrow: Region, *, swapped: bool) -> Answer:
        try:
            if identical(wide, narrow):
                return Included()
            if self._formulas is None:
                read: dict[bytes, Node] = {}
                first = formula(self._first, self._arena, read)
                self._formulas = first, formula(self._second, self._arena, read)
            outside, inside = self._formulas[::-1] if swapped else self._formulas
            question = _Question(self._arena, wide, narrow, self._limits)
            return question.answer(inside, self._arena.negation(outside))
        except GaveUpError as error:
            return Undecided(str(error))
        except RecursionError:
            return Undecided("the schemas nest deeper than Python follows them from here")


class _Question:
    """Whether a value is in `narrow` and not in `wide`."""

    def __init__(self, arena: Arena, wide: Region, narrow: Region, limits: Limits) -> None:
        self._arena = arena
        self._wide = wide
        self._narrow = narrow
        self._limits = limits

    def answer(self, inside: Node, outside: Node) -> Answer:
        """By the structural search, or where that takes too long with z3's help.

        Raises:
            GaveUpError: a schema can't be read.
        """
        limits = self._limits
        try:
            return self._searched(Search(self._arena, Budget(limits.steps)), inside, outside)
        except SpentError as error:
            spent = str(error)
        try:
            solver = Solver(limits.solver_rounds, limits.solver_steps)
            search = Search(self._arena, Budget(limits.steps_with_solver), solver)
            return self._searched(search, inside, outside)
        except SpentError as error:
            return Undecided(f"{spent}; {error}")

    def _searched(self, search: Search, inside: Node, outside: Node) -> Answer:
        """Witnesses are proposed until the validator confirms one.

        What can't be told counts as true for the search, so what it rules out is ruled out: once it has no
        proposal left but those that the validator has refuted, there is no witness.
        """
        refuted: list[object] = []
        reason: str | None = None
        while len(refuted) <= self._limits.retries:
            another = self._arena.negation(self._arena.one_of(refuted))
            outcome = search.solve((inside, outside, another))
            if isinstance(outcome, Unclear):
                return Undecided(reason or outcome.reason)
            if isinstance(outcome, Nothing):
                return Included()
            if self._confirmed(outcome.value):
                return Escapes(outcome.value)
            if outcome.doubt is None:
                return Undecided("the validator judges a value in another way than it was read")
            reason = reason or outcome.doubt
            refuted.append(outcome.value)
        return Undecided(reason or "no witness was confirmed")

    def _confirmed(self, value: object) -> bool:
        try:
            check(value)
            return contains(self._narrow, value) and not contains(self._wide, value)
        except (StrictJsonError, ValueError):
            return False
