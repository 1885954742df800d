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
    """Whether every value of `narrow` is one of `wide`.

    `Escapes` holds a value of `narrow` that is not in `wide`; jsonschema-rs has confirmed both. Never raises
    for what a schema says: what can't be read or takes too long is `Undecided`, with the reason.
    """
    try:
        if identical(wide, narrow):
            return Included()
        arena = Arena()
        read: dict[bytes, Node] = {}
        inside, outside = formula(narrow, arena, read), arena.negation(formula(wide, arena, read))
        return _Question(wide, narrow, limits).answer(arena, inside, outside)
    except GaveUpError as error:
        return Undecided(str(error))
    except RecursionError:
        return Undecided("the schemas nest deeper than Python follows them from here")


def compare(old: Region, new: Region, *, limits: Limits = LIMITS) -> Comparison:
    """How `new` relates to `old`. As `includes`, both ways."""
    return Comparison(gained=includes(old, new, limits=limits), lost=includes(new, old, limits=limits))


class _Question:
    def __init__(self, wide: Region, narrow: Region, limits: Limits) -> None:
        self._wide = wide
        self._narrow = narrow
        self._limits = limits

    def answer(self, arena: Arena, inside: Node, outside: Node) -> Answer:
        """By the structural search, or where that takes too long with z3's help."""
        limits = self._limits
        try:
            return self._searched(Search(arena, Budget(limits.steps)), inside, outside)
        except SpentError as spent:
            try:
                solver = Solver(limits.solver_rounds, limits.solver_steps)
                search = Search(arena, Budget(limits.steps_with_solver), solver)
                return self._searched(search, inside, outside)
            except SpentError as error:
                return Undecided(str(spent) if str(error) == str(spent) else f"{spent}, {error}")

    def _searched(self, search: Search, inside: Node, outside: Node) -> Answer:
        """Witnesses are proposed until the validator confirms one.

        What can't be told counts as true for the search, so what it rules out is ruled out: once it has no
        proposal left but those that the validator has refuted, there is no witness.
        """
        refuted: list[object] = []
        reason: str | None = None
        while len(refuted) <= self._limits.retries:
            another = search.arena.negation(search.arena.one_of(refuted))
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
        return Undecided(reason or "")

    def _confirmed(self, value: object) -> bool:
        try:
            check(value)
            return contains(self._narrow, value) and not contains(self._wide, value)
        except (StrictJsonError, ValueError):
            return False
