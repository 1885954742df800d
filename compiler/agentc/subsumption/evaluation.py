"""Whether one value satisfies a formula."""

from __future__ import annotations

from .arena import Arena
from .budget import Budget
from .formulas import (
    And,
    AtLeast,
    AtMost,
    Atom,
    Constant,
    HasFormat,
    Items,
    Kinds,
    Link,
    Listed,
    Literal,
    Matches,
    Members,
    MultipleOf,
    Node,
    Opaque,
    Or,
    SizeAtLeast,
    SizeAtMost,
    Unique,
    listed_names,
)
from .judge import has_format, matches
from .values import exact, key_of, kind_of


class Evaluation:
    """Evaluates formulas of one arena. What can't be told counts as true, and `doubt` says what it was."""

    def __init__(self, arena: Arena, budget: Budget) -> None:
        self._arena = arena
        self._budget = budget
        self.doubt: str | None = None

    def holds(self, node: Node, value: object) -> bool:
        """Whether `value` satisfies `node`."""
        match node:
            case Constant():
                return node.value
            case Kinds():
                return bool(node.mask & kind_of(value))
            case Literal():
                return self.condition(node, value)
            case And():
                return all(self.holds(part, value) for part in node.parts)
            case Or():
                return self._any(node, value)
            case Link():
                return self.holds(self._arena.narrowed(node, kind_of(value)), value)

    def condition(self, literal: Literal, value: object) -> bool:
        """Whether `value` satisfies one condition."""
        self._budget.spend()
        if kind_of(value) != literal.kind:
            return literal.positive
        if isinstance(literal.atom, Opaque):
            self.doubt = self.doubt or literal.atom.reason
            return True
        return self._atom(literal.atom, value, wanted=literal.positive)

    def _any(self, node: Or, value: object) -> bool:
        before, doubt = self.doubt, None
        for part in node.parts:
            self.doubt = before
            if self.holds(part, value):
                if self.doubt == before:
                    return True
                doubt = doubt or self.doubt
        self.doubt = doubt or before
        return doubt is not None

    def _atom(self, atom: Atom, value: object, *, wanted: bool) -> bool:
        match atom, value:
            case Listed(), _:
                found = key_of(value) in atom.keys
            case AtLeast(), int() | float():
                number = exact(value)
                found = number > atom.value if atom.over else number >= atom.value
            case AtMost(), int() | float():
                number = exact(value)
                found = number < atom.value if atom.under else number <= atom.value
            case MultipleOf(), int() | float():
                found = exact(value) % atom.step == 0
            case SizeAtLeast(), str() | list() | dict():
                found = len(value) >= atom.size
            case SizeAtMost(), str() | list() | dict():
                found = len(value) <= atom.size
            case Matches(), str():
                found = matches(atom.pattern, value)
            case HasFormat(), str():
                found = has_format(atom.name, value)
            case Unique(), list():
                found = len({key_of(item) for item in value}) == len(value)
            case Items(), list():
                return self._every(atom.each, value[atom.first : atom.end], wanted=wanted)
            case Members(), dict():
                return self._members(atom, value, wanted=wanted)
            case _:
                raise AssertionError(atom)
        return found is wanted

    def _every(self, each: Node, values: list[object], *, wanted: bool) -> bool:
        if wanted:
            return all(self.holds(each, value) for value in values)
        other = self._arena.negation(each)
        return any(self.holds(other, value) for value in values)

    def _members(self, atom: Members, value: dict[str, object], *, wanted: bool) -> bool:
        listed = listed_names(atom.names)
        if listed is None:
            meant = [part for name, part in value.items() if self.holds(atom.names, name)]
        else:
            meant = [value[name] for name in listed if name in value]
        return self._every(atom.each, meant, wanted=wanted)
