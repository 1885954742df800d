"""Whether no value satisfies two of some formulas: then "exactly one of them" is "one of them".

Only what is plain to see: other kinds, other listed values, or a property that each requires and to which
each gives other values, as the branches of a union with a discriminator do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .arena import Arena
from .formulas import FALSE, And, Kinds, Link, Listed, Literal, Members, Node, Or, listed_names
from .values import EVERY_KIND, KINDS, OBJECT, Key

_DEPTH: Final = 4


def apart(arena: Arena, parts: Sequence[Node], depth: int = _DEPTH) -> bool:
    """Whether each two of `parts` exclude each other. `False` says nothing."""
    shapes = [_Shape(arena, part) for part in parts]
    if _listed_apart(shapes):
        return True
    if depth == 0 or any(shape.mask != OBJECT for shape in shapes):
        return False
    return any(
        apart(arena, [arena.all_of(shape.properties[name]) for shape in shapes], depth - 1)
        for name in shapes[0].properties
        if all(name in shape.properties and name in shape.required for shape in shapes)
    )


def _listed_apart(shapes: Sequence[_Shape]) -> bool:
    """Whether no kind is left to two of them, or its values are listed and different."""
    for kind in KINDS:
        lists = [shape.listed.get(kind) for shape in shapes if shape.mask & kind]
        if len(lists) < 2:
            continue
        keys: set[Key] = set()
        for listed in lists:
            if listed is None or not keys.isdisjoint(listed):
                return False
            keys |= listed
    return True


class _Shape:
    """What is plain about a formula: the kinds of its values, those listed, and properties of objects."""

    def __init__(self, arena: Arena, node: Node) -> None:
        self.mask = EVERY_KIND
        self.listed: dict[int, frozenset[Key]] = {}
        self.properties: dict[str, list[Node]] = {}
        self.required: set[str] = set()
        for part in _conjuncts(arena, node):
            match part:
                case Kinds(mask):
                    self.mask &= mask
                case Literal(kind, Listed(keys), True):
                    self.listed[kind] = keys & self.listed.get(kind, keys)
                case Literal(_, Members(names, each), True):
                    for name in listed_names(names) or ():
                        self.properties.setdefault(name, []).append(each)
                case Literal() | Or():
                    self.required.update(_required(part))


def _conjuncts(arena: Arena, node: Node) -> Iterator[Node]:
    waiting, left = [node], 4 * _DEPTH
    while waiting:
        part = waiting.pop()
        if isinstance(part, And):
            waiting.extend(part.parts)
        elif isinstance(part, Link) and left and arena.readable(part):
            left -= 1
            waiting.append(arena.target(part))
        else:
            yield part


def _required(part: Literal | Or) -> Sequence[str]:
    """The name in "no object, or one that has the property"."""
    parts = part.parts if isinstance(part, Or) else (part,)
    match [one for one in parts if not (isinstance(one, Kinds) and not one.mask & OBJECT)]:
        case [Literal(_, Members(names, each), False)] if each is FALSE:
            listed = listed_names(names) or ()
            return listed if len(listed) == 1 else ()
        case _:
            return ()
