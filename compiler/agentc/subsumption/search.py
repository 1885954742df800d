"""The structural search for a value that satisfies formulas: the solver of all that grants usually say.

One kind of values after the other. Conditions are collected until a value can be made that satisfies them;
only where that value breaks an alternative, each of its branches is tried. It is complete up to what is
`Unclear`, and finite: a schema that refers to itself comes back to a question that is being answered, and
the smallest value never holds a smaller one that would do in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .arrays import find_array
from .budget import Budget
from .evaluation import Evaluation
from .formulas import (
    FALSE,
    TRUE,
    And,
    Arena,
    Atom,
    Items,
    Listed,
    Literal,
    Members,
    Node,
    Opaque,
    Or,
    SizeAtLeast,
    SizeAtMost,
)
from .numbers import find_number
from .objects import find_object
from .outcomes import NOTHING, Found, Nothing, Outcome, Unclear, better, sure
from .strings import find_text
from .values import ARRAY, BOOLEAN, KINDS, NUMBER, OBJECT, STRING, key_of

#: Values nest no deeper than the runtime reads them.
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class State:
    """What is known to hold on one way through the alternatives."""

    literals: tuple[Literal, ...]
    clauses: tuple[Or, ...]
    asserted: frozenset[Node]


class Search:
    """Answers questions about formulas of one arena, within one budget.

    `alternatives` is the way in which the alternatives of one kind of values are searched.
    """

    def __init__(
        self,
        arena: Arena,
        budget: Budget,
        alternatives: Callable[[Search, int, State], Outcome] | None = None,
    ) -> None:
        self.arena = arena
        self.budget = budget
        self.evaluation = Evaluation(arena, budget)
        self._alternatives = alternatives or branch
        self._known: dict[frozenset[Node], Outcome] = {}
        self._asked: dict[frozenset[Node], int] = {}
        self._lowest = _DEEPEST + 1

    def solve(self, conditions: Sequence[Node]) -> Outcome:
        """A value that satisfies all conditions.

        Raises:
            GaveUpError: the steps are used up, or a schema can't be read.
        """
        question = frozenset(conditions)
        self.budget.spend()
        known = self._known.get(question)
        if known is not None:
            return known
        depth = len(self._asked)
        if question in self._asked:
            self._lowest = min(self._lowest, self._asked[question])
            return NOTHING
        if depth >= _DEEPEST:
            return Unclear(f"a value nests deeper than {_DEEPEST}")
        before, self._lowest = self._lowest, _DEEPEST + 1
        self._asked[question] = depth
        try:
            found = self._any_kind(conditions)
        finally:
            del self._asked[question]
        if self._lowest >= depth or isinstance(found, Found):
            self._known[question] = found
        # otherwise it was answered in view of a question that is still open
        self._lowest = min(before, self._lowest) if self._lowest < depth else before
        return found

    def _any_kind(self, conditions: Sequence[Node]) -> Outcome:
        found: Outcome = NOTHING
        for kind in KINDS:
            parts = [self.arena.narrowed(condition, kind) for condition in conditions]
            state = self.start(parts)
            if state is not None:
                found = better(found, self._alternatives(self, kind, state))
            if sure(found):
                break
        return found

    def start(self, parts: Sequence[Node]) -> State | None:
        """The state in which all `parts` hold; `None` when they contradict each other."""
        return self.extended(State((), (), frozenset()), parts)

    def extended(self, state: State, parts: Sequence[Node]) -> State | None:
        """`state` and all `parts`, with what follows from them at once; `None` when nothing is left."""
        literals, clauses = list(state.literals), list(state.clauses)
        asserted = set(state.asserted)
        waiting = list(reversed(parts))
        while True:
            while waiting:
                self.budget.spend()
                part = waiting.pop()
                if part is TRUE or part in asserted:
                    continue
                if part is FALSE or self.arena.negation(part) in asserted:
                    return None
                asserted.add(part)
                match part:
                    case And():
                        waiting.extend(reversed(part.parts))
                    case Or():
                        clauses.append(part)
                    case Literal():
                        literals.append(part)
                    case _:
                        raise AssertionError(part)
            clauses = self._propagated(clauses, asserted, waiting)
            if not waiting:
                return State(tuple(literals), tuple(clauses), frozenset(asserted))

    def _propagated(self, clauses: list[Or], asserted: set[Node], waiting: list[Node]) -> list[Or]:
        """The clauses that are still open. What they leave no choice about is put into `waiting`."""
        still: list[Or] = []
        for clause in clauses:
            self.budget.spend(1 + len(clause.parts) // 8)
            if any(part in asserted for part in clause.parts):
                continue
            left = [part for part in clause.parts if self.arena.negation(part) not in asserted]
            if len(left) > 1:
                still.append(clause if len(left) == len(clause.parts) else Or(tuple(left)))
            else:
                waiting.append(left[0] if left else FALSE)
        return still

    def candidate(self, kind: int, state: State) -> Outcome:
        """A value of `kind` that satisfies the literals of `state`, whatever its clauses say.

        Where one of the literals lists values, the clauses are satisfied as well.
        """
        listed = [one.atom for one in state.literals if one.positive and isinstance(one.atom, Listed)]
        if listed:
            return self._one_of(listed, [*state.literals, *state.clauses])
        plain = [one for one in state.literals if not isinstance(one.atom, Opaque)]
        found = self._made(kind, plain)
        for literal in state.literals:
            if isinstance(literal.atom, Opaque) and isinstance(found, Found):
                return Found(found.value, found.doubt or literal.atom.reason)
        return found

    def _made(self, kind: int, literals: list[Literal]) -> Outcome:
        match kind:
            case _ if kind == STRING:
                return find_text(literals, self.evaluation, self.budget)
            case _ if kind == NUMBER:
                return find_number(literals, self.budget)
            case _ if kind == ARRAY:
                return find_array(literals, self)
            case _ if kind == OBJECT:
                return find_object(literals, self)
            case _ if kind == BOOLEAN:
                return self._one_of([_BOOLEANS], literals)
            case _:
                return Found(None)

    def _one_of(self, listed: Sequence[Listed], parts: Sequence[Node]) -> Outcome:
        found: Outcome = NOTHING
        for key, value in listed[0].values.items():
            self.budget.spend()
            if any(key not in other.keys for other in listed[1:]):
                continue
            self.evaluation.doubt = None
            if all(self.evaluation.holds(part, value) for part in parts):
                found = better(found, Found(value, self.evaluation.doubt))
                if sure(found):
                    break
        return found

    def broken(self, state: State, value: object) -> Node | None:
        """What `value` does not satisfy, or only in doubt, though it satisfies the literals."""
        key = key_of(value)
        for literal in state.literals:
            if isinstance(literal.atom, Listed) and not literal.positive and key in literal.atom.keys:
                return self.different(value)
        for clause in state.clauses:
            self.evaluation.doubt = None
            if not self.evaluation.holds(clause, value) or self.evaluation.doubt is not None:
                return clause
        return None

    def different(self, value: object) -> Node:
        """Arrays or objects other than `value`, by what it is made of."""
        arena = self.arena
        same: list[Atom] = []
        if isinstance(value, list):
            kind = ARRAY
            same += [Items(at, at + 1, arena.one_of([item])) for at, item in enumerate(value)]
            same += [SizeAtLeast(len(value)), SizeAtMost(len(value))]
        else:
            assert isinstance(value, dict)  # what is excluded of other kinds never gets here
            kind = OBJECT
            same += [Members(arena.one_of([name]), arena.one_of([item])) for name, item in value.items()]
            same += [SizeAtLeast(len(value)), SizeAtMost(len(value))]
            lacking = [Members(arena.one_of([name]), FALSE) for name in value]
            missing = [arena.literal(OBJECT, atom) for atom in lacking]
            return arena.any_of([*missing, *(arena.literal(kind, atom, positive=False) for atom in same)])
        return arena.any_of(arena.literal(kind, atom, positive=False) for atom in same)


def branch(search: Search, kind: int, state: State) -> Outcome:
    """Depth first: where a value breaks an alternative, each branch of it is tried in turn."""
    found: Outcome = NOTHING
    waiting: list[tuple[State, Node]] = [(state, TRUE)]
    while waiting:
        before, chosen = waiting.pop()
        current = search.extended(before, (chosen,))
        if current is None:
            continue
        outcome = search.candidate(kind, current)
        if isinstance(outcome, Nothing):
            continue
        open_: Node | None = current.clauses[0] if current.clauses else None
        if isinstance(outcome, Found):
            open_ = search.broken(current, outcome.value)
        if open_ is None:
            found = better(found, outcome)
            if sure(found):
                break
        else:
            branches = open_.parts if isinstance(open_, Or) else (open_,)
            waiting.extend((current, part) for part in reversed(branches))
    return found


_BOOLEANS = Listed(frozenset({(True,), (False,)}), {(True,): True, (False,): False})
