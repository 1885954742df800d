"""Patterns and lists of words as deterministic automata, built as far as they are walked.

A state is a set of places in the pattern from which the rest is still to be matched (Antimirov's partial
derivatives), so a count such as `{1,500}` costs states only as they are reached. A state that is `None`
accepts nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Protocol

from ..regex import syntax_tree
from ..regex_tree import Alternatives, Characters, Dot, End, Repeat, Sequence, Start, Tree
from .budget import Budget
from .characters import Ranges, ranges_of

#: What an automaton reads: the places, in its list of sets, of those that a character is in.
Symbol = frozenset[int]
_ANYTHING: Final = Repeat(Characters(((0, 0x10FFFF),)), 0, None)
#: The place after the whole pattern.
_DONE: Final = 0


class Automaton(Protocol):
    """A set of texts. Characters that are in the same of `sets` are read alike. It starts in state 0."""

    sets: list[Ranges]

    def step(self, state: int, symbol: Symbol, budget: Budget) -> int | None:
        """The state after one more character. What is not known of it yet is paid from `budget`."""
        ...

    def accepts(self, state: int) -> bool:
        """Whether the text that led here is in the set."""
        ...


@lru_cache(maxsize=1024)
def searched(pattern: str) -> Tree | None:
    """The tree of all texts in which `pattern` is found; `None` when it is not of the language."""
    tree = syntax_tree(pattern)
    if tree is None:
        return None
    before = () if _anchored(tree, Start, 0) else (_ANYTHING,)
    after = () if _anchored(tree, End, -1) else (_ANYTHING,)
    return Sequence((*before, tree, *after)) if before or after else tree


def _anchored(tree: Tree, anchor: type[Start | End], end: int) -> bool:
    """Whether each way through `tree` has the anchor at this end."""
    match tree:
        case Start() | End():
            return isinstance(tree, anchor)
        case Sequence(parts):
            return bool(parts) and _anchored(parts[end], anchor, end)
        case Alternatives(parts):
            return all(_anchored(part, anchor, end) for part in parts)
        case Repeat(part, least, _):
            return least > 0 and _anchored(part, anchor, end)
        case _:
            return False


class PatternAutomaton:
    """The texts of a tree, whole."""

    def __init__(self, tree: Tree) -> None:
        self.sets: list[Ranges] = []
        self._places: list[tuple[Tree, int, int | None, int]] = [(Sequence(()), 0, 0, 0)]
        self._known: dict[tuple[int, int, int | None, int], int] = {}
        self._set_of: dict[Ranges, int] = {}
        self._collect(tree)
        self._states: list[frozenset[int]] = [frozenset({self._place(tree, _DONE)})]
        self._state_of: dict[frozenset[int], int] = {}
        self._accepting: dict[int, bool] = {}
        self._steps: dict[tuple[int, Symbol], int | None] = {}
        self._heads: dict[tuple[int, bool], list[tuple[int, int]]] = {}

    def step(self, state: int, symbol: Symbol, budget: Budget) -> int | None:
        """As `Automaton`."""
        if (state, symbol) in self._steps:
            return self._steps[state, symbol]
        budget.spend()
        after: set[int] = set()
        for place in self._states[state]:
            heads = self._heads_of(place, start=state == 0)
            budget.spend(1 + len(heads) // 8)
            after.update(rest for characters, rest in heads if characters in symbol)
        found = self._state(frozenset(after)) if after else None
        self._steps[state, symbol] = found
        return found

    def accepts(self, state: int) -> bool:
        """As `Automaton`."""
        found = self._accepting.get(state)
        if found is None:
            found = any(self._ends(place, start=state == 0) for place in self._states[state])
            self._accepting[state] = found
        return found

    def _state(self, places: frozenset[int]) -> int:
        found = self._state_of.get(places)
        if found is None:
            found = self._state_of[places] = len(self._states)
            self._states.append(places)
        return found

    def _collect(self, tree: Tree) -> None:
        waiting = [tree]
        while waiting:
            match waiting.pop():
                case Characters() | Dot() as characters:
                    ranges = ranges_of(characters)
                    if ranges not in self._set_of:
                        self._set_of[ranges] = len(self.sets)
                        self.sets.append(ranges)
                case Sequence(parts) | Alternatives(parts):
                    waiting.extend(reversed(parts))
                case Repeat(part, _, _):
                    waiting.append(part)

    def _place(self, tree: Tree, rest: int) -> int:
        """Where `tree` is to be matched, and then what is at `rest`."""
        least, most = (tree.least, tree.most) if isinstance(tree, Repeat) else (0, 0)
        return self._counted(tree, least, most, rest)

    def _counted(self, tree: Tree, least: int, most: int | None, rest: int) -> int:
        key = (id(tree), least, most, rest)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._places)
            self._places.append((tree, least, most, rest))
        return found

    def _next(self, place: int, *, start: bool, end: bool) -> Iterable[int]:
        """The places that are reached without a character, from one that takes none itself."""
        tree, least, most, rest = self._places[place]
        match tree:
            case Start():
                return (rest,) if start else ()
            case End():
                return (rest,) if end else ()
            case Sequence(parts):
                for part in reversed(parts):
                    rest = self._place(part, rest)
                return (rest,)
            case Alternatives(parts):
                return [self._place(part, rest) for part in parts]
            case Repeat(part, _, _):
                if most == 0:
                    return (rest,)
                again = self._counted(tree, max(least - 1, 0), None if most is None else most - 1, rest)
                once = self._place(part, again)
                return (once,) if least else (once, rest)
            case _:
                return ()

    def _heads_of(self, place: int, *, start: bool) -> list[tuple[int, int]]:
        """Each set of characters that can come next, and the place after it."""
        found = self._heads.get((place, start))
        if found is None:
            found = [
                (self._set_of[ranges_of(tree)], rest)
                for tree, _, _, rest in map(self._places.__getitem__, self._reached(place, start, end=False))
                if isinstance(tree, Characters | Dot)
            ]
            self._heads[place, start] = found
        return found

    def _ends(self, place: int, *, start: bool) -> bool:
        return _DONE in self._reached(place, start, end=True)

    def _reached(self, place: int, start: bool, *, end: bool) -> list[int]:
        seen = {place: None}
        waiting = [place]
        while waiting:
            current = waiting.pop()
            if current != _DONE:
                for other in self._next(current, start=start, end=end):
                    if other not in seen:
                        seen[other] = None
                        waiting.append(other)
        return list(seen)


class WordAutomaton:
    """A finite list of texts, as the tree of their beginnings."""

    def __init__(self, words: Iterable[str]) -> None:
        self._after: list[dict[str, int]] = [{}]
        self._last: set[int] = set()
        characters: dict[str, int] = {}
        for word in words:
            state = 0
            for sign in word:
                characters.setdefault(sign, len(characters))
                if sign not in self._after[state]:
                    self._after[state][sign] = len(self._after)
                    self._after.append({})
                state = self._after[state][sign]
            self._last.add(state)
        self._sign = list(characters)
        self.sets: list[Ranges] = [((ord(sign), ord(sign)),) for sign in characters]

    def step(self, state: int, symbol: Symbol, budget: Budget) -> int | None:
        """As `Automaton`."""
        for place in symbol:
            return self._after[state].get(self._sign[place])
        return None

    def accepts(self, state: int) -> bool:
        """As `Automaton`."""
        return state in self._last
