"""Whether an array satisfies conditions, and a short one that does.

The first items may each be spoken of; beyond the longest prefix all places are alike. What some item must be
is put to the first place where it fits, or to one that another such item has already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .formulas import Items, Literal, Node, Unique
from .outcomes import NOTHING, Found, Nothing, Outcome, Unclear, better, sure
from .strings import size_bounds
from .values import Key, key_of

if TYPE_CHECKING:
    from .search import Search

#: Longer arrays are not written out; of different items, far fewer.
_LONGEST: Final = 10_000
_MOST_DIFFERENT: Final = 200

#: What items at the places that somebody asked something of must satisfy, beside the rest.
_Asked = dict[int, tuple[Node, ...]]


def find_array(literals: Sequence[Literal], search: Search) -> Outcome:
    """An array that satisfies all `literals`, none of which lists what is allowed."""
    return _Arrays(literals, search).find()


class _Arrays:
    def __init__(self, literals: Sequence[Literal], search: Search) -> None:
        self._search = search
        self._least, self._most = size_bounds(literals)
        self._all: list[Items] = []
        self._some: list[Items] = []
        self._unique: set[bool] = set()
        for literal in literals:
            match literal.atom, literal.positive:
                case (Items() as items, True):
                    self._all.append(items)
                case (Items() as items, False):
                    self._some.append(items)
                case (Unique(), wanted):
                    self._unique.add(wanted)
        bounds = [bound for items in (*self._all, *self._some) for bound in (items.first, items.end)]
        #: From here on all places are alike.
        self._alike = max((bound for bound in bounds if bound is not None), default=0)

    def find(self) -> Outcome:
        self._search.budget.spend(1 + (len(self._all) + len(self._some)) // 4)
        if self._least > _LONGEST:
            return Unclear(f"an array of {self._least:,} items would have to be found")
        found: Outcome = NOTHING
        for asked in self._placed(0, {}):
            for wanted in self._repeated(asked):
                found = better(found, self._filled(wanted))
                if sure(found):
                    return found
        return found

    def _placed(self, index: int, asked: _Asked) -> Iterator[_Asked]:
        """Every way to give each item that must be there its place, the first places earlier."""
        self._search.budget.spend()
        if index == len(self._some):
            yield asked
            return
        items = self._some[index]
        other = self._search.arena.negation(items.each)
        end = self._alike + len(self._some) + 2
        if items.end is not None:
            end = min(end, items.end)
        if self._most is not None:
            end = min(end, self._most)
        for place in range(items.first, end):
            there = (*asked.get(place, ()), other)
            if not isinstance(self._at(place, there), Nothing):
                yield from self._placed(index + 1, {**asked, place: there})
            if place >= self._alike and place not in asked:
                break  # the free places behind are like this one

    def _repeated(self, asked: _Asked) -> Iterator[_Asked]:
        """With an item that stands twice, where the array must have one."""
        if False not in self._unique:
            yield asked
            return
        if True in self._unique:
            return
        end = max(self._alike, *asked, 0) + 3 if asked else self._alike + 2
        if self._most is not None:
            end = min(end, self._most)
        for second in range(1, end):
            for first in range(second):
                both = (*self._conditions(first, asked), *self._conditions(second, asked))
                outcome = self._search.solve(both)
                if isinstance(outcome, Found):
                    same = (self._search.arena.one_of([outcome.value]),)
                    yield {**asked, first: same, second: same}
                elif isinstance(outcome, Unclear):
                    yield {**asked, first: both, second: both}

    def _conditions(self, place: int, asked: _Asked) -> tuple[Node, ...]:
        always = [
            items.each
            for items in self._all
            if items.first <= place and (items.end is None or place < items.end)
        ]
        return tuple(dict.fromkeys((*always, *asked.get(place, ()))))

    def _at(self, place: int, more: tuple[Node, ...] = ()) -> Outcome:
        return self._search.solve(self._conditions(place, {place: more}))

    def _filled(self, asked: _Asked) -> Outcome:
        """An array with these items, and as many more as it needs."""
        size = max([self._least, *(place + 1 for place in asked)])
        if self._most is not None and size > self._most:
            return NOTHING
        if True in self._unique:
            return self._different(size, asked)
        found: list[object] = []
        doubt: str | None = None
        unclear: Unclear | None = None
        for place in range(size):
            outcome = self._search.solve(self._conditions(place, asked))
            match outcome:
                case Nothing():
                    return NOTHING
                case Unclear():
                    unclear = unclear or outcome
                case Found(value, why):
                    found.append(value)
                    doubt = doubt or why
        return unclear or Found(found, doubt)

    def _different(self, size: int, asked: _Asked) -> Outcome:
        """No item twice: enough values for each place, and then a place for each (Kuhn's matching)."""
        if size > _MOST_DIFFERENT:
            return Unclear(f"an array of {size:,} different items would have to be found")
        domains: dict[frozenset[Node], _Domain] = {}
        places: list[_Domain] = []
        for place in range(size):
            conditions = self._conditions(place, asked)
            key = frozenset(conditions)
            if key not in domains:
                domains[key] = self._domain(conditions, size)
            places.append(domains[key])
        taken: dict[Key, int] = {}
        for place in range(size):
            if not _matched(place, places, taken, set()):
                return next((one.unclear for one in places if one.unclear), NOTHING)
        found = {place: places[place].values[key] for key, place in taken.items()}
        doubt = next((one.doubt for one in places if one.doubt), None)
        return Found([found[place] for place in range(size)], doubt)

    def _domain(self, conditions: tuple[Node, ...], size: int) -> _Domain:
        """As many values as there are places, or all that there are."""
        search, domain = self._search, _Domain({})
        while len(domain.values) < size:
            avoided = search.arena.negation(search.arena.one_of(domain.values.values()))
            outcome = search.solve((*conditions, avoided))
            if not isinstance(outcome, Found):
                domain.unclear = outcome if isinstance(outcome, Unclear) else None
                break
            domain.values[key_of(outcome.value)] = outcome.value
            domain.doubt = domain.doubt or outcome.doubt
        return domain


@dataclass(slots=True)
class _Domain:
    """Values that an item may have."""

    values: dict[Key, object]
    doubt: str | None = None
    unclear: Unclear | None = None


def _matched(place: int, places: Sequence[_Domain], taken: dict[Key, int], tried: set[Key]) -> bool:
    """Give `place` a value of its own, moving others to another one of theirs where that makes room."""
    for key in places[place].values:
        if key not in taken:
            taken[key] = place
            return True
    for key in places[place].values:
        if key not in tried:
            tried.add(key)
            if _matched(taken[key], places, taken, tried):
                taken[key] = place
                return True
    return False
