"""The alternatives of one kind of values, searched by z3: for what branching does not come through in time.

z3 sees the conditions on a value as variables, those on numbers and sizes as arithmetic, and chooses which
are to hold. Whether they can hold together is then asked of the same procedures that the structural search
uses; if not, a small set of them that can't is excluded, and z3 chooses again. So both agree on what a
condition means. (Lazy SMT: Barrett et al., Satisfiability Modulo Theories, Handbook of Satisfiability, 2009.)

z3 is imported here only.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final

from .budget import SpentError
from .formulas import (
    And,
    AtLeast,
    AtMost,
    Constant,
    Listed,
    Literal,
    Node,
    Or,
    SizeAtLeast,
    SizeAtMost,
)
from .outcomes import NOTHING, Found, Nothing, Outcome, Unclear, better, sure
from .search import Search, State, branch
from .values import NUMBER

if TYPE_CHECKING:
    import z3

_MISSING: Final = "z3, which might decide it, is not installed: pip install 'agentc[solver]'"


class Solver:
    """Searches alternatives for a `Search`, within limits that count for all of its questions."""

    def __init__(self, rounds: int, steps: int) -> None:
        self._rounds = rounds
        self._steps = steps
        self._z3 = _module()

    def __call__(self, search: Search, kind: int, state: State) -> Outcome:
        """As `search.branch`.

        Raises:
            SpentError: the rounds or z3's own steps are used up.
        """
        if not state.clauses:
            return branch(search, kind, state)
        question = _Question(self._z3, search, kind, state)
        found: Outcome = NOTHING
        while True:
            chosen = self._chosen(question)
            if chosen is None:
                return found
            outcome = question.tried(chosen)
            if not isinstance(outcome, Nothing):
                found = better(found, outcome)
            if sure(found):
                return found

    def _chosen(self, question: _Question) -> list[Literal] | None:
        """Conditions that would do; `None` when none can."""
        self._rounds -= 1
        if self._rounds < 0:
            raise SpentError("z3 proposes more than may be tried")
        answer, used = question.check(self._steps)
        self._steps -= used
        if answer == "unknown" or self._steps <= 0:
            raise SpentError("z3 takes more steps than it may")
        return question.implicant() if answer == "sat" else None


def _module() -> ModuleType:
    try:
        return import_module("z3")
    except ImportError as error:
        raise SpentError(_MISSING) from error


class _Question:
    """One kind of values in one state."""

    def __init__(self, module: ModuleType, search: Search, kind: int, state: State) -> None:
        self._z3 = module
        self._search = search
        self._kind = kind
        self._context = module.Context()
        self._solver = module.Solver(ctx=self._context)
        self._solver.set("random_seed", 0)
        self._number = module.Real("number", self._context)
        self._size = module.Int("size", self._context)
        self._solver.add(self._size >= 0)
        self._known: dict[Node, z3.BoolRef] = {}
        self._conditions: list[Node] = []
        self._used = 0
        parts: tuple[Node, ...] = (*state.literals, *state.clauses)
        for part in parts:
            self._require(part)

    def check(self, steps: int) -> tuple[str, int]:
        """`sat`, `unsat` or `unknown`, and the steps that it took."""
        self._solver.set("rlimit", steps)
        answer = str(self._solver.check())
        statistics = self._solver.statistics()
        counted = {str(key): value for key, value in statistics}.get("rlimit count", self._used)
        used = int(counted) - self._used
        self._used = int(counted)
        return answer, max(used, 1)

    def implicant(self) -> list[Literal]:
        """Conditions that the model satisfies and that are enough for all that is required."""
        model = self._solver.model()
        found: dict[Literal, None] = {}
        waiting = list(reversed(self._conditions))
        while waiting:
            node = waiting.pop()
            match node:
                case Literal():
                    found[node] = None
                case And():
                    waiting.extend(reversed(node.parts))
                case Or():
                    waiting.append(next(part for part in node.parts if self._true(model, part)))
                case _:
                    pass
        return list(found)

    def tried(self, chosen: list[Literal]) -> Outcome:
        """A value with all these conditions; what is learned where there is none is required of the rest."""
        outcome = self._outcome(chosen)
        if isinstance(outcome, Found):
            broken = self._search.broken(self._state(chosen), outcome.value)
            if broken is None:
                if outcome.doubt is not None:
                    self._exclude(chosen)
                return outcome
            # it breaks one of the chosen conditions that exclude values; who does not choose them may keep it
            arena = self._search.arena
            lists = [one for one in chosen if isinstance(one.atom, Listed) and not one.positive]
            unless = [arena.negation(one) for one in lists]
            self._require(arena.any_of([*unless, broken]))
            return NOTHING
        if isinstance(outcome, Unclear):
            self._exclude(chosen)
            return outcome
        self._exclude(self._core(chosen))
        return NOTHING

    def _outcome(self, chosen: Sequence[Literal]) -> Outcome:
        return self._search.candidate(self._kind, self._state(chosen))

    def _state(self, chosen: Sequence[Literal]) -> State:
        return State(tuple(chosen), (), frozenset(chosen))

    def _core(self, chosen: list[Literal]) -> list[Literal]:
        """Few of `chosen` that can't hold together: halves are left out, then quarters, then single ones."""
        kept, size = chosen, max(len(chosen) // 2, 1)
        while True:
            at = 0
            while at < len(kept):
                fewer = kept[:at] + kept[at + size :]
                if isinstance(self._outcome(fewer), Nothing):
                    kept = fewer
                else:
                    at += size
            if size == 1:
                return kept
            size //= 2

    def _exclude(self, literals: Sequence[Literal]) -> None:
        # not by way of the arena: it would see that lists have no value in common, which z3 does not know
        self._solver.add(self._z3.Or(*[self._z3.Not(self._expression(one)) for one in literals]))

    def _require(self, node: Node) -> None:
        self._conditions.append(node)
        self._solver.add(self._expression(node))

    def _true(self, model: z3.ModelRef, node: Node) -> bool:
        return bool(self._z3.is_true(model.eval(self._expression(node), model_completion=True)))

    def _expression(self, node: Node) -> z3.BoolRef:
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._made(node)
        return found

    def _made(self, node: Node) -> z3.BoolRef:
        made: z3.BoolRef
        match node:
            case Constant(value):
                made = self._z3.BoolVal(value, self._context)
            case And(parts):
                made = self._z3.And(*[self._expression(part) for part in parts])
            case Or(parts):
                made = self._z3.Or(*[self._expression(part) for part in parts])
            case Literal(positive=False):
                made = self._z3.Not(self._expression(self._search.arena.negation(node)))
            case Literal():
                made = self._atom(node)
            case _:
                raise AssertionError(node)
        return made

    def _atom(self, literal: Literal) -> z3.BoolRef:
        number, size = self._number, self._size
        made: z3.BoolRef
        match literal.atom:
            case AtLeast(value, over):
                made = number > self._real(value) if over else number >= self._real(value)
            case AtMost(value, under):
                made = number < self._real(value) if under else number <= self._real(value)
            case Listed(_, values) if self._kind == NUMBER and 0 < len(values) < 100:
                made = self._z3.Or(*[number == self._real(key) for key in values])
            case SizeAtLeast(least):
                made = size >= least
            case SizeAtMost(most):
                made = size <= most
            case _:
                made = self._z3.Bool(f"condition {len(self._known)}", self._context)
        return made

    def _real(self, value: object) -> z3.RatNumRef:
        made: z3.RatNumRef = self._z3.RealVal(str(value), self._context)
        return made
