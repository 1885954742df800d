"""Whether an object satisfies conditions, and a small one that does.

Properties whose names a schema mentions are looked at one by one. All other names are alike as far as
patterns of names do not part them; each part is a pool of names that nobody mentions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from .formulas import And, Listed, Literal, Members, Node, Or, listed_names
from .outcomes import NOTHING, Found, Nothing, Outcome, Unclear, better, sure
from .strings import size_bounds
from .values import STRING

if TYPE_CHECKING:
    from .search import Search

#: Objects with more properties are not written out.
_LARGEST: Final = 2_000
#: How many conditions on names, beside lists of names, may part the names that nobody mentions.
_MOST_PATTERNS: Final = 6
_NAME: Final = "extra"

#: What the values of properties must satisfy, beside the rest, by name.
_Asked = dict[str, tuple[Node, ...]]


def find_object(literals: Sequence[Literal], search: Search) -> Outcome:
    """An object that satisfies all `literals`, none of which lists what is allowed."""
    return _Objects(literals, search).find()


class _Objects:
    def __init__(self, literals: Sequence[Literal], search: Search) -> None:
        self._search = search
        self._least, self._most = size_bounds(literals)
        self._all: list[Members] = []
        self._some: list[Members] = []
        for literal in literals:
            if isinstance(literal.atom, Members):
                (self._all if literal.positive else self._some).append(literal.atom)
        self._names: dict[str, None] = {}
        self._patterns: dict[Literal, None] = {}
        for members in (*self._all, *self._some):
            self._mentioned(members.names)
        self._by_name: dict[str, list[Node]] = {}
        self._by_condition: list[Members] = []
        for members in self._all:
            listed = listed_names(members.names)
            if listed is None:
                self._by_condition.append(members)
            for name in listed or ():
                self._by_name.setdefault(name, []).append(members.each)
        self._applying: dict[str, tuple[Node, ...]] = {}
        self._pools: list[_Pool] | None = None
        self.unclear: Unclear | None = None

    def find(self) -> Outcome:
        self._search.budget.spend(1 + (len(self._all) + len(self._some)) // 4)
        asked: _Asked = {}
        open_: list[Members] = []
        for members in self._some:
            listed = listed_names(members.names)
            if listed is None or len(listed) != 1:
                open_.append(members)
            else:
                other = self._search.arena.negation(members.each)
                asked[listed[0]] = (*asked.pop(listed[0], ()), other)
        for name in reversed(asked):  # what was asked last is what may not go with the rest
            if isinstance(self._value(name, asked), Nothing):
                return NOTHING
        found: Outcome = NOTHING
        for placed in self._placed(open_, 0, asked):
            found = better(found, self._filled(placed))
            if sure(found):
                break
        return better(found, self.unclear) if self.unclear else found

    def _mentioned(self, names: Node) -> None:
        match names:
            case Literal(atom=Listed() as listed):
                self._names.update(dict.fromkeys(str(value) for value in listed.values.values()))
            case Literal():
                arena = self._search.arena
                base = names if names.positive else arena.negation(names)
                assert isinstance(base, Literal)  # the negation of a literal is one
                self._patterns[base] = None
            case And(parts) | Or(parts):
                for part in parts:
                    self._mentioned(part)
            case _:
                pass  # every name

    def _conditions(self, name: str, asked: _Asked) -> tuple[Node, ...]:
        always = self._applying.get(name)
        if always is None:
            holds = self._search.evaluation.holds
            by_condition = [one.each for one in self._by_condition if holds(one.names, name)]
            always = tuple(dict.fromkeys((*self._by_name.get(name, ()), *by_condition)))
            self._applying[name] = always
        return tuple(dict.fromkeys((*always, *asked.get(name, ()))))

    def _value(self, name: str, asked: _Asked) -> Outcome:
        return self._search.solve(self._conditions(name, asked))

    def _placed(self, open_: Sequence[Members], index: int, asked: _Asked) -> Iterator[_Asked]:
        """Every way to give each property that must be there, of names that are not said, its name."""
        self._search.budget.spend()
        if index == len(open_):
            yield asked
            return
        members = open_[index]
        other = self._search.arena.negation(members.each)
        for name in self._choices(asked):
            if not self._search.evaluation.holds(members.names, name):
                continue
            more = {**asked, name: (*asked.get(name, ()), other)}
            if not isinstance(self._value(name, more), Nothing):
                yield from self._placed(open_, index + 1, more)

    def _choices(self, asked: _Asked) -> list[str]:
        """Names that a further property may have: those in use, those mentioned, one of each pool."""
        mentioned = [name for name in self._names if name not in asked]
        fresh = [name for pool in self._all_pools() if (name := pool.unused(asked)) is not None]
        return [*asked, *mentioned, *fresh]

    def _filled(self, asked: _Asked) -> Outcome:
        """An object with these properties, and as many more as it needs."""
        if self._most is not None and max(len(asked), self._least) > self._most:
            return NOTHING
        if self._least > _LARGEST:
            return Unclear(f"an object of {self._least:,} properties would have to be found")
        wanted = dict(asked)
        for name in self._fillers(asked):
            if len(wanted) >= self._least:
                break
            wanted[name] = ()
        if len(wanted) < self._least:
            return self.unclear or NOTHING
        found: dict[str, object] = {}
        doubt: str | None = None
        mentioned = [name for name in self._names if name in wanted]
        for name in dict.fromkeys([*mentioned, *wanted]):  # in the order of the schemas
            outcome = self._value(name, asked)
            if not isinstance(outcome, Found):
                return outcome
            found[name] = outcome.value
            doubt = doubt or outcome.doubt
        return Found(found, doubt)

    def _fillers(self, asked: _Asked) -> Iterator[str]:
        """Further properties that are possible."""
        if len(asked) >= self._least:
            return
        for name in self._names:
            if name not in asked and self._possible(name):
                yield name
        for pool in self._all_pools():
            first = pool.unused(asked)
            if first is not None and self._possible(first):
                yield from pool.names(asked)

    def _possible(self, name: str) -> bool:
        outcome = self._value(name, {})
        if isinstance(outcome, Unclear):
            self.unclear = outcome
        return isinstance(outcome, Found)

    def _all_pools(self) -> list[_Pool]:
        if self._pools is None:
            self._pools = list(self._made_pools())
        return self._pools

    def _made_pools(self) -> Iterator[_Pool]:
        if not self._patterns:
            yield _Pool(self, ())
            return
        if len(self._patterns) > _MOST_PATTERNS:
            self.unclear = Unclear(f"more than {_MOST_PATTERNS} patterns part the names of properties")
            return
        arena = self._search.arena
        for mask in range(1 << len(self._patterns)):
            yield _Pool(
                self,
                tuple(
                    arena.negation(pattern) if mask >> at & 1 else pattern
                    for at, pattern in enumerate(self._patterns)
                ),
            )

    def fresh(self, conditions: tuple[Node, ...], taken: Sequence[str]) -> str | None:
        """A name that nobody mentions, is not taken, and satisfies the conditions."""
        self._search.budget.spend(1 + len(taken) // 8)
        if not conditions:
            excluded = {*self._names, *taken}
            numbered = (f"{_NAME}{number}" for number in range(2, len(excluded) + 3))
            return next(name for name in (_NAME, *numbered) if name not in excluded)
        arena = self._search.arena
        others = arena.negation(arena.named([*self._names, *taken]))
        outcome = self._search.solve((arena.kinds(STRING), others, *conditions))
        if isinstance(outcome, Found) and isinstance(outcome.value, str):
            return outcome.value
        if isinstance(outcome, Unclear):
            self.unclear = outcome
        return None


class _Pool:
    """Names that nobody mentions and that all conditions of the object treat alike."""

    def __init__(self, objects: _Objects, conditions: tuple[Node, ...]) -> None:
        self._objects = objects
        self._conditions = conditions
        self._found: list[str] = []
        self._ended = False

    def unused(self, taken: _Asked) -> str | None:
        """A name that is not taken; `None` when there is none."""
        return next(self.names(taken), None)

    def names(self, taken: _Asked) -> Iterator[str]:
        """All names that are not taken, one after the other."""
        at = 0
        while True:
            if at == len(self._found):
                name = None if self._ended else self._objects.fresh(self._conditions, self._found)
                if name is None:
                    self._ended = True
                    return
                self._found.append(name)
            if self._found[at] not in taken:
                yield self._found[at]
            at += 1
