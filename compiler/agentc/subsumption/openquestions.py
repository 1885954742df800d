"""Questions that are answered, and those that are being answered: how a schema that refers to itself ends.

A question that is asked again inside itself has no answer there: the smallest value never holds a smaller
one that would do in its place. "Nothing" that was found in view of that is certain once the question that was
open is itself answered with "nothing": none of them has a value unless another one has a smaller one.

Values nest no deeper than the runtime reads them. "Nothing" that was found in view of that holds for as much
depth as was left, and the question is asked again where more is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from .formulas import Node
from .outcomes import NOTHING, Found, Outcome, Unclear

Question: TypeAlias = frozenset[Node]

#: How deep values nest that the runtime reads, and one more, so that the bound here is never the tighter one.
DEEPEST: Final = 65


@dataclass(slots=True)
class _Open:
    """A question that is being answered."""

    #: How long the trail was at its start.
    trail: int
    #: The place of the outermost open question that was met again since.
    lowest: int
    #: Whether it came to values that nest too deep.
    cut: bool = False


@dataclass(slots=True)
class _Provisional:
    """Nothing, as long as the open question at `lowest` has no value, in values that nest `within`."""

    lowest: int
    within: int
    #: Where it stands in the trail.
    at: int


class OpenQuestions:
    """What is known of the questions of one search."""

    def __init__(self) -> None:
        #: Answers, each for values that nest so deep at most, counted from its own.
        self._answers: dict[Question, tuple[int, Outcome]] = {}
        self._provisional: dict[Question, _Provisional] = {}
        #: The questions with a provisional answer, oldest first.
        self._trail: list[Question | None] = []
        #: Open questions, outermost first.
        self._stack: list[_Open] = []
        self._places: dict[Question, int] = {}

    def known(self, question: Question) -> Outcome | None:
        """The answer, as far as it can be given here."""
        if not self._stack:
            return None  # the question that all others are part of
        left = DEEPEST - len(self._stack)
        within, found = self._answers.get(question, (-1, None))
        if found is not None and within >= left:
            self._stack[-1].cut |= within <= DEEPEST
            return found
        if question in self._places:
            self._meet(self._places[question])
            return NOTHING
        provisional = self._provisional.get(question)
        if provisional is not None and provisional.within >= left:
            self._meet(provisional.lowest)
            self._stack[-1].cut |= provisional.within <= DEEPEST
            return NOTHING
        if left < 0:
            self._stack[-1].cut = True
            return NOTHING
        return None

    def enter(self, question: Question) -> None:
        """The question is being answered from now on."""
        self._places[question] = len(self._stack)
        self._stack.append(_Open(len(self._trail), len(self._stack)))

    def leave(self, question: Question, found: Outcome) -> None:
        """The innermost question has this answer."""
        place = self._places.pop(question)
        opened = self._stack.pop()
        if opened.cut and self._stack:
            self._stack[-1].cut = True
        within = DEEPEST - place if opened.cut else _ANY
        match found:
            case Found():
                self._settle(opened.trail, keep=False)
                self._answers[question] = (_ANY, found)
            case Unclear():
                self._settle(opened.trail, keep=False)
                self._answers[question] = (DEEPEST - place, found)
            case _ if opened.lowest >= place:
                self._settle(opened.trail, keep=True)
                self._answers[question] = (within, found)
            case _:
                self._meet(opened.lowest)
                for one in self._trail[opened.trail :]:
                    if one is not None:
                        provisional = self._provisional[one]
                        provisional.lowest = min(provisional.lowest, opened.lowest)
                if question in self._provisional:  # for less depth: what it depends on now is newer
                    self._trail[self._provisional[question].at] = None
                self._provisional[question] = _Provisional(opened.lowest, within, len(self._trail))
                self._trail.append(question)

    def _settle(self, start: int, *, keep: bool) -> None:
        """What was provisional since then is certain, or forgotten."""
        for one in self._trail[start:]:
            if one is not None:
                provisional = self._provisional.pop(one)
                if keep:
                    self._answers[one] = (provisional.within, NOTHING)
        del self._trail[start:]

    def _meet(self, place: int) -> None:
        self._stack[-1].lowest = min(self._stack[-1].lowest, place)


#: However deep they nest.
_ANY: Final = 1 << 20
