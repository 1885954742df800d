"""Whether a text satisfies conditions, and a short readable one that does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from typing import Final

from .automata import Automaton, PatternAutomaton, Symbol, WordAutomaton, searched
from .budget import Budget, SpentError
from .characters import best_character, partition
from .evaluation import Evaluation
from .formats import ORDINARY, SAMPLES, SUPERSETS
from .formulas import HasFormat, Listed, Literal, Matches, SizeAtLeast, SizeAtMost
from .outcomes import NOTHING, Found, Outcome, Unclear

#: Longer texts are not written out.
_LONGEST: Final = 50_000
#: How many texts are tried for a format, or around what is not understood.
_TRIES: Final = 60
#: How often the search for such a text comes back to the same state.
_REPEATS: Final = 4
_VARIED: Final = ("0", "A", "-", "", "ab", "Ab1", "a-b_c.d", "a b", "/a/b", "A-1", "12.50", "\u00e9")

_Part = tuple[Automaton, bool]


class Texts:
    """Finds texts for one search, with each pattern's automaton built once."""

    def __init__(self, evaluation: Evaluation, budget: Budget) -> None:
        self._evaluation = evaluation
        self._budget = budget
        self._automata: dict[str, PatternAutomaton] = {}

    def find(self, literals: Sequence[Literal]) -> Outcome:
        """A text that satisfies all `literals`, none of which lists what is allowed."""
        self._budget.spend(4)
        least, most = size_bounds(literals)
        if most is not None and least > most:
            return NOTHING
        if least > _LONGEST:
            return Unclear(f"a text of {least:,} characters would have to be found")
        parts, guessed = self._regular(literals)
        for plain in _plain(literals, least, guessed=guessed is not None):
            if self._all_hold(literals, plain):
                return Found(plain)
        formats = [one.atom.name for one in literals if one.positive and isinstance(one.atom, HasFormat)]
        likely = [(self._automaton(ORDINARY[name]), True) for name in formats if name in ORDINARY]
        bounding = [(self._automaton(SUPERSETS[name]), True) for name in formats if name in SUPERSETS]
        if likely:
            found = self._walked(literals, [*parts, *likely], (least, most), guessed, repeats=1)
            if isinstance(found, Found):
                return found
        repeats = 1 if guessed is None else _REPEATS
        return self._walked(literals, [*parts, *bounding], (least, most), guessed, repeats=repeats)

    def _regular(self, literals: Sequence[Literal]) -> tuple[list[_Part], str | None]:
        """The conditions that automata decide, and why others are only guessed at, if there are any."""
        parts: list[_Part] = []
        guessed: str | None = None
        excluded: list[str] = []
        for literal in literals:
            match literal.atom, literal.positive:
                case Matches(pattern), wanted:
                    if searched(pattern) is None:
                        guessed = guessed or f"the pattern `{pattern}` is outside the language of patterns"
                    else:
                        parts.append((self._automaton(pattern), wanted))
                case HasFormat(name), _:
                    guessed = guessed or f"which texts are of the format `{name}` is not decided"
                case Listed() as listed, False:
                    excluded += [str(value) for value in listed.values.values()]
        if excluded:
            parts.append((WordAutomaton(excluded), False))
        return parts, guessed

    def _automaton(self, pattern: str) -> PatternAutomaton:
        found = self._automata.get(pattern)
        if found is None:
            tree = searched(pattern)
            assert tree is not None  # the caller has looked
            found = self._automata[pattern] = PatternAutomaton(tree)
        return found

    def _all_hold(self, literals: Sequence[Literal], text: str) -> bool:
        return all(self._evaluation.condition(literal, text) for literal in literals)

    def _walked(
        self,
        literals: Sequence[Literal],
        parts: Sequence[_Part],
        sizes: tuple[int, int | None],
        guessed: str | None,
        *,
        repeats: int,
    ) -> Outcome:
        """The first text that fits. Each that the automata give stands for others, all of which may fit.

        Only a share of the budget is for one walk: other conditions may show that there is nothing.
        """
        portion = self._budget.portion(2)
        empty: Found | None = None
        failed = False
        try:
            for tried, text in enumerate(_words(parts, *sizes, repeats, portion)):
                if self._all_hold(literals, text):
                    if text:
                        return Found(text)
                    empty = Found(text)  # a reader sees more in any other text
                else:
                    failed = True
                if (empty is not None and tried) or tried > _TRIES:
                    break
        except SpentError:
            return empty or Unclear(f"the automata of patterns take more than {portion.allowed:,} steps")
        finally:
            self._budget.give_back(portion)
        if empty is not None:
            return empty
        return Unclear(guessed or "the matcher and the automaton of a pattern differ") if failed else NOTHING


def size_bounds(literals: Sequence[Literal]) -> tuple[int, int | None]:
    """The least and the most size that all conditions admit."""
    least, most = 0, None
    for literal in literals:
        match literal.atom, literal.positive:
            case (SizeAtLeast(size), True):
                least = max(least, size)
            case (SizeAtMost(size), False):
                least = max(least, size + 1)
            case (SizeAtMost(size), True):
                most = size if most is None else min(most, size)
            case (SizeAtLeast(size), False):
                most = size - 1 if most is None else min(most, size - 1)
    return least, most


def _plain(literals: Sequence[Literal], least: int, *, guessed: bool) -> Iterator[str]:
    """What might do without a search. Where the search only guesses, texts of every make are tried."""
    for literal in literals:
        if literal.positive and isinstance(literal.atom, HasFormat):
            yield from SAMPLES.get(literal.atom.name, ())
    yield "a" * max(least, 1)
    if guessed:
        yield from _VARIED
        for samples in SAMPLES.values():
            yield from samples


def _words(
    parts: Sequence[_Part], least: int, most: int | None, repeats: int, budget: Budget
) -> Iterator[str]:
    """Texts that are in all parts that are wanted and in no other, shortest first; none if there is none.

    Breadth first over the product of the automata. While the text is too short a state counts once a length,
    then `repeats` times at all: a longer text to the same state leads nowhere else.
    """
    symbols = _alphabet(parts)
    start: tuple[int | None, ...] = (0,) * len(parts)
    level = [(start, "")]
    seen: Counter[tuple[int | None, ...]] = Counter([start])
    for size in count():
        if size >= least:
            for state, text in level:
                if _accepted(parts, state):
                    yield text
        if size == most:
            return
        if size < least:
            seen.clear()
        following: list[tuple[tuple[int | None, ...], str]] = []
        for state, text in level:
            for sign, read in symbols:
                after = _after(parts, state, read, budget)
                if after is not None and seen[after] < repeats:
                    seen[after] += 1
                    following.append((after, text + sign))
        if not following:
            return
        level = following


def _alphabet(parts: Sequence[_Part]) -> list[tuple[str, tuple[Symbol, ...]]]:
    """One character for all that every part reads alike, the most readable first, and how each reads it."""
    sets = [ranges for automaton, _ in parts for ranges in automaton.sets]
    starts = [0]
    for automaton, _ in parts:
        starts.append(starts[-1] + len(automaton.sets))
    ranked: list[tuple[int, str, tuple[Symbol, ...]]] = []
    for ranges, places in partition(sets):
        read = tuple(
            frozenset(place - start for place in places if start <= place < end)
            for start, end in pairwise(starts)
        )
        code, rank = best_character(ranges)
        ranked.append((rank, chr(code), read))
    return [(sign, read) for _, sign, read in sorted(ranked, key=lambda one: one[0])]


def _after(
    parts: Sequence[_Part], state: tuple[int | None, ...], read: tuple[Symbol, ...], budget: Budget
) -> tuple[int | None, ...] | None:
    """The state after one more character; `None` when no text that begins so can do."""
    budget.spend(len(parts))
    found: list[int | None] = []
    for (automaton, wanted), current, symbol in zip(parts, state, read, strict=True):
        after = None if current is None else automaton.step(current, symbol, budget)
        if after is None and wanted:
            return None
        found.append(after)
    return tuple(found)


def _accepted(parts: Sequence[_Part], state: tuple[int | None, ...]) -> bool:
    return all(
        (current is not None and automaton.accepts(current)) is wanted
        for (automaton, wanted), current in zip(parts, state, strict=True)
    )
