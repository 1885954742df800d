"""Sets of characters as ranges of code points, and what the runtime's matcher takes `\\w` or `\\p{L}` for."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

from ..regex_tree import Characters, Dot
from .judge import matcher

#: First and last code points, ascending, apart from each other.
Ranges: TypeAlias = tuple[tuple[int, int], ...]

LAST: Final = 0x10FFFF
#: Every character: half of a surrogate pair is none.
EVERY: Final[Ranges] = ((0, 0xD7FF), (0xE000, LAST))
#: The matcher's `.` stops at line feeds only; `agentc.regex.anchored` writes ECMA's out.
_DOT: Final[Ranges] = ((0, 9), (11, 0xD7FF), (0xE000, LAST))
_SPACES: Final[Ranges] = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
_CLASSES: Final[dict[str, Ranges]] = {
    "\\d": ((0x30, 0x39),),
    "\\w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "\\s": _SPACES,
}
#: How many characters are asked about at once.
_CHUNK: Final = 4096
#: What a reader likes to see in an example, best first; then what else is printed, then the rest.
_READABLE: Final = (
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.@/:+ ,;!?*#%&=()[]{}<>$'\"^~|`\\"
)


@lru_cache(maxsize=4096)
def ranges_of(characters: Characters | Dot) -> Ranges:
    """The code points that a set in a pattern stands for."""
    if isinstance(characters, Dot):
        return _DOT
    found = _joined(
        [*characters.ranges, *(pair for name in characters.classes for pair in class_ranges(name))]
    )
    found = _without(found, ((0xD800, 0xDFFF),))
    return _without(EVERY, found) if characters.negated else found


@lru_cache(maxsize=128)
def class_ranges(name: str) -> Ranges:
    """The code points of `\\d`, `\\W` or `\\p{Lu}`."""
    if name[1] in "DWS":
        return _without(EVERY, _CLASSES[name.lower()])
    if name in _CLASSES:
        return _CLASSES[name]
    inside = "\\p" + name[2:]
    return _without(EVERY, class_ranges(inside)) if name[1] == "P" else _asked(inside)


def best_character(ranges: Ranges) -> tuple[int, int]:
    """The character of a set that reads best in an example, and how far down the list it stands."""
    for place, sign in enumerate(_READABLE):
        if contains(ranges, ord(sign)):
            return ord(sign), place
    for first, last in ranges:
        if last >= 0xA1:
            code = max(first, 0xA1)
            return code, len(_READABLE) + code
    return ranges[0][0], len(_READABLE) + LAST + ranges[0][0]


def contains(ranges: Ranges, code: int) -> bool:
    """Whether a code point is in the set."""
    at = bisect_right(ranges, (code, LAST + 1)) - 1
    return at >= 0 and ranges[at][0] <= code <= ranges[at][1]


def partition(sets: Sequence[Ranges]) -> list[tuple[Ranges, frozenset[int]]]:
    """Every character, parted by which of `sets` it is in: the parts, each with the places of its sets."""
    cuts = {first for first, _ in EVERY}
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for place, ranges in enumerate(sets):
        for first, last in ranges:
            opening.setdefault(first, []).append(place)
            closing.setdefault(last + 1, []).append(place)
    cuts |= opening.keys() | closing.keys() | {0xD800, LAST + 1}
    parts: dict[frozenset[int], list[tuple[int, int]]] = {}
    inside: set[int] = set()
    for start, end in pairwise(sorted(cuts)):
        inside -= set(closing.get(start, ()))
        inside |= set(opening.get(start, ()))
        if not 0xD800 <= start <= 0xDFFF:
            parts.setdefault(frozenset(inside), []).append((start, end - 1))
    return [(tuple(ranges), places) for places, ranges in parts.items()]


def _joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _without(ranges: Ranges, other: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in ranges:
        start = first
        for out_first, out_last in other:
            if out_last < start or out_first > last:
                continue
            if out_first > start:
                found.append((start, out_first - 1))
            start = out_last + 1
        if start <= last:
            found.append((start, last))
    return tuple(found)


def _asked(name: str) -> Ranges:
    """The code points of a Unicode category, from the matcher itself: its Unicode is not Python's.

    Whether all characters of a chunk are in the category, or none, is one question each; a mixed one is
    halved. About 20 ms.
    """
    inside, outside = matcher(f"^{name}*$"), matcher(f"^\\P{name[2:]}*$")
    found: list[tuple[int, int]] = []
    for first, last in EVERY:
        text = array("I", range(first, last + 1)).tobytes().decode("utf-32")
        for start in range(0, len(text), _CHUNK):
            _halved(text, first, start, min(start + _CHUNK, len(text)), inside, outside, found)
    return _joined(found)


def _halved(
    text: str,
    first: int,
    start: int,
    end: int,
    inside: Callable[[str], bool],
    outside: Callable[[str], bool],
    found: list[tuple[int, int]],
) -> None:
    part = text[start:end]
    if outside(part):
        return
    if inside(part):
        found.append((first + start, first + end - 1))
        return
    middle = (start + end) // 2
    _halved(text, first, start, middle, inside, outside, found)
    _halved(text, first, middle, end, inside, outside, found)
