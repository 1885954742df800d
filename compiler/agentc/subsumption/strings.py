"""Whether a text satisfies conditions, and a short readable one that does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
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


def find_text(literals: Sequence[Literal], evaluation: Evaluation, budget: Budget) -> Outcome:
    """A text that satisfies all `literals`, none of which lists what is allowed."""
    budget.spend(4)
    least, most = size_bounds(literals)
    if most is not None and least > most:
        return NOTHING
    if least > _LONGEST:
        return Unclear(f"a text of {least:,} characters would have to be found")
    parts, guessed = _automata(literals)
    for plain in _plain(literals, least, guessed=guessed is not None):
        if _all_hold(literals, plain, evaluation):
            return Found(plain)
    repeats = 1 if guessed is None else _REPEATS
    ordinary = [ORDINARY[name] for name in _formats(literals) if name in ORDINARY]
    if ordinary:
        likely = [*parts, *((_automaton(pattern), True) for pattern in ordinary)]
        portion = budget.portion(4)
        with suppress(SpentError):
            found = _first(literals, _words(likely, least, most, 1, portion), guessed, evaluation)
            budget.give_back(portion)
            if isinstance(found, Found):
                return found
    bounding = [SUPERSETS[name] for name in _formats(literals) if name in SUPERSETS]
    parts += [(_automaton(pattern), True) for pattern in bounding]
    return _first(literals, _words(parts, least, most, repeats, budget), guessed, evaluation)


def _formats(literals: Sequence[Literal]) -> list[str]:
    """The formats that the text must have."""
    return [one.atom.name for one in literals if one.positive and isinstance(one.atom, HasFormat)]


def _automata(literals: Sequence[Literal]) -> tuple[list[_Part], str | None]:
    """Those of the conditions that are regular, and why others are only guessed at, if there are any."""
    parts: list[_Part] = []
    guessed: str | None = None
    excluded: list[str] = []
    for literal in literals:
        match literal.atom, literal.positive:
            case Matches(pattern), wanted:
                if searched(pattern) is None:
                    guessed = guessed or f"the pattern `{pattern}` is outside the language of patterns"
                else:
                    parts.append((_automaton(pattern), wanted))
            case HasFormat(name), _:
                guessed = guessed or f"which texts are of the format `{name}` is not decided"
            case Listed() as listed, False:
                excluded += [str(value) for value in listed.values.values()]
    if excluded:
        parts.append((WordAutomaton(excluded), False))
    return parts, guessed


def _automaton(pattern: str) -> PatternAutomaton:
    tree = searched(pattern)
    assert tree is not None  # the caller has looked
    return PatternAutomaton(tree)


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
    for name in _formats(literals):
        yield from SAMPLES.get(name, ())
    yield "a" * max(least, 1)
    if guessed:
        yield from _VARIED
        for samples in SAMPLES.values():
            yield from samples


def _all_hold(literals: Sequence[Literal], text: str, evaluation: Evaluation) -> bool:
    return all(evaluation.condition(literal, text) for literal in literals)


def _first(
    literals: Sequence[Literal], words: Iterator[str], guessed: str | None, evaluation: Evaluation
) -> Outcome:
    """The first of `words` that fits. Each word that there is stands for others, all of which may fit."""
    empty: Found | None = None
    failed = False
    for tried, text in enumerate(words):
        if _all_hold(literals, text, evaluation):
            if text:
                return Found(text)
            empty = Found(text)  # a reader sees more in any other text
        else:
            failed = True
        if empty is not None and tried:
            return empty
        if tried > _TRIES:
            break
    if empty is not None:
        return empty
    return Unclear(guessed or "the matcher and the automaton of a pattern differ") if failed else NOTHING


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
    budget.spend()
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
