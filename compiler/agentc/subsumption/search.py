"""The structural search for a value that satisfies formulas: the solver of all that grants usually say.

One kind of values after the other. Conditions are collected until a value can be made that satisfies them;
only where that value breaks an alternative, each of its branches is tried. It is complete up to what is
`Unclear`, and finite: a schema that refers to itself comes back to a question that is being answered, and
the smallest value never holds a smaller one that would do in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .arena import Arena
from .arrays import find_array
from .budget import Budget
from .evaluation import Evaluation
from .formulas import (
    FALSE,
    TRUE,
    And,
    Atom,
    Items,
    Link,
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
from .openquestions import OpenQuestions
from .outcomes import NOTHING, Found, Nothing, Outcome, Unclear, better, sure
from .strings import Texts
from .values import ARRAY, BOOLEAN, KINDS, NUMBER, OBJECT, STRING, Key, key_of


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
        self._texts = Texts(self.evaluation, budget)
        self._alternatives = alternatives or branch
        self._open = OpenQuestions()

    def solve(self, conditions: Sequence[Node]) -> Outcome:
        """A value that satisfies all conditions.

        Raises:
            GaveUpError: the steps are used up, or a schema can't be read.
        """
        question = frozenset(conditions)
        self.budget.spend()
        known = self._open.known(question)
        if known is not None:
            return known
        self._open.enter(question)
        found: Outcome = Unclear("it was not finished")
        try:
            found = self._any_kind(conditions)
        finally:
            self._open.leave(question, found)
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
        asserted, fresh = set(state.asserted), set[Node]()
        waiting = list(reversed(parts))
        while waiting:
            self.budget.spend()
            part = waiting.pop()
            if part in asserted or part is TRUE:
                pass
            elif part is FALSE or (other := self.arena.negation(part)) in asserted:
                return None
            else:
                asserted.add(part)
                fresh |= {part, other}
                match part:
                    case And():
                        waiting.extend(reversed(part.parts))
                    case Or():
                        clauses += self._still_open(part, asserted, waiting)
                    case Literal():
                        literals.append(part)
                    case _:
                        raise AssertionError(part)
            if not waiting:
                self.budget.spend(len(clauses) // 8)
                clauses = [
                    left
                    for clause in clauses
                    for left in (
                        (clause,)
                        if fresh.isdisjoint(clause.parts)
                        else self._still_open(clause, asserted, waiting)
                    )
                ]
                fresh.clear()
        return State(tuple(literals), tuple(clauses), frozenset(asserted))

    def _still_open(self, clause: Or, asserted: set[Node], waiting: list[Node]) -> tuple[Or, ...]:
        """What is left of a clause, if anything. If it leaves no choice, that is put into `waiting`."""
        self.budget.spend(1 + len(clause.parts) // 8)
        if not asserted.isdisjoint(clause.parts):
            return ()
        left = tuple(part for part in clause.parts if self.arena.negation(part) not in asserted)
        if len(left) > 1:
            return (clause if len(left) == len(clause.parts) else Or(left),)
        waiting.append(left[0] if left else FALSE)
        return ()

    def candidate(self, kind: int, state: State) -> Outcome:
        """A value of `kind` that satisfies the literals of `state`, whatever its clauses say.

        Where one of the literals lists values, the clauses are satisfied as well.
        """
        self.budget.spend(1 + len(state.literals) // 4)
        lists = [(one.atom, one.positive) for one in state.literals if isinstance(one.atom, Listed)]
        listed = [one for one, positive in lists if positive]
        if listed:
            first, *others = listed
            excluded = frozenset[Key]().union(*(one.keys for one, positive in lists if not positive))
            left = first.keys.intersection(*(one.keys for one in others)) - excluded
            values = [value for key, value in first.values.items() if key in left]
            return self._one_of(
                values, [*(one for one in state.literals if not isinstance(one.atom, Listed)), *state.clauses]
            )
        plain = [one for one in state.literals if not isinstance(one.atom, Opaque)]
        found = self._made(kind, plain)
        for literal in state.literals:
            if isinstance(literal.atom, Opaque) and isinstance(found, Found):
                return Found(found.value, found.doubt or literal.atom.reason)
        return found

    def _made(self, kind: int, literals: list[Literal]) -> Outcome:
        match kind:
            case _ if kind == STRING:
                return self._texts.find(literals)
            case _ if kind == NUMBER:
                return find_number(literals, self.budget)
            case _ if kind == ARRAY:
                return find_array(literals, self)
            case _ if kind == OBJECT:
                return find_object(literals, self)
            case _ if kind == BOOLEAN:
                return self._one_of([True, False], literals)
            case _:
                return Found(None)

    def _one_of(self, values: Sequence[object], parts: Sequence[Node]) -> Outcome:
        found: Outcome = NOTHING
        for value in values:
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
                return self.different(value, literal.atom)
        for clause in state.clauses:
            self.evaluation.doubt = None
            if not self.evaluation.holds(clause, value) or self.evaluation.doubt is not None:
                return clause
        return None

    def different(self, value: object, excluded: Listed) -> Node:
        """Arrays or objects other than `value`, by what they are made of.

        The first ways out are those that lead out of all of `excluded` at once.
        """
        arena = self.arena
        if isinstance(value, list):
            size, kind = len(value), ARRAY
            lists = [other for other in excluded.values.values() if isinstance(other, list)]
            every = [[other[at] for other in lists if at < len(other)] for at in range(size)]
            alone: list[Atom] = [Items(at, at + 1, arena.one_of(values)) for at, values in enumerate(every)]
            parts: list[Atom] = [Items(at, at + 1, arena.one_of([item])) for at, item in enumerate(value)]
            missing: list[Node] = []
        else:
            assert isinstance(value, dict)  # what is excluded of other kinds never gets here
            size, kind = len(value), OBJECT
            objects = [other for other in excluded.values.values() if isinstance(other, dict)]
            named = {name: [other[name] for other in objects if name in other] for name in value}
            alone = [Members(arena.named([name]), arena.one_of(values)) for name, values in named.items()]
            parts = [Members(arena.named([name]), arena.one_of([item])) for name, item in value.items()]
            missing = [arena.literal(OBJECT, Members(arena.named([name]), FALSE)) for name in value]
        broken = [*alone, *parts, SizeAtMost(size), SizeAtLeast(size)]
        return arena.any_of([*(arena.literal(kind, atom, positive=False) for atom in broken), *missing])


def _inwards(node: Node, fuel: int = 4) -> int:
    """How far a condition leads into a value, about."""
    match node:
        case Literal(_, Members(_, each) | Items(_, _, each)):
            return 1 + (_inwards(each, fuel - 1) if fuel else 0)
        case And(parts) if fuel:
            return max(_inwards(part, fuel - 1) for part in parts[:8])
        case Or(parts) if fuel:
            return min(_inwards(part, fuel - 1) for part in parts[:8])
        case Link():
            return fuel + 1
        case _:
            return 0


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
            # the last comes first, and what is about the value itself before what is deep inside it
            waiting.extend((current, part) for part in sorted(branches, key=_inwards)[::-1])
    return found
