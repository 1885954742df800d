"""Whether one region is inside another: equal text, then the structural search, then z3."""

from __future__ import annotations

from typing import Final

from agentc_runtime.strictjson import StrictJsonError, check

from .answers import Answer, Comparison, Escapes, Included, Limits, Region, Undecided
from .budget import Budget, GaveUpError, SpentError
from .formulas import Arena, Node
from .outcomes import Found, Nothing, Outcome, Unclear
from .regions import contains, formula, identical
from .search import Search

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
    except GaveUpError as error:
        return Undecided(str(error))
    return _Question(wide, narrow, limits).answer(arena, inside, outside)


def compare(old: Region, new: Region, *, limits: Limits = LIMITS) -> Comparison:
    """How `new` relates to `old`. As `includes`, both ways."""
    return Comparison(gained=includes(old, new, limits=limits), lost=includes(new, old, limits=limits))


class _Question:
    def __init__(self, wide: Region, narrow: Region, limits: Limits) -> None:
        self._wide = wide
        self._narrow = narrow
        self._limits = limits

    def answer(self, arena: Arena, inside: Node, outside: Node) -> Answer:
        search = Search(arena, Budget(self._limits.steps))
        refused: list[object] = []
        reason = ""
        while True:
            another = arena.negation(arena.one_of(refused))
            try:
                outcome = search.solve((inside, outside, another))
            except SpentError as error:
                return Undecided(str(error))
            except GaveUpError as error:
                return Undecided(str(error))
            if not isinstance(outcome, Found):
                return self._without(outcome, reason)
            if self._confirmed(outcome.value):
                return Escapes(outcome.value)
            reason = reason or outcome.doubt or "the validator does not confirm the witness that was found"
            refused.append(outcome.value)
            if len(refused) > self._limits.retries:
                return Undecided(reason)

    def _without(self, outcome: Outcome, reason: str) -> Answer:
        if isinstance(outcome, Unclear):
            return Undecided(reason or outcome.reason)
        assert isinstance(outcome, Nothing)
        return Undecided(reason) if reason else Included()

    def _confirmed(self, value: object) -> bool:
        try:
            check(value)
            return contains(self._narrow, value) and not contains(self._wide, value)
        except (StrictJsonError, ValueError):
            return False
