"""Every scorer of an eval made ready once, and asked for each run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from ..resources import Resource
from ..syntax.eval import EvalSpec
from ..syntax.scorers import ScorerSpec
from .case import Case, judge_of, name_of
from .judging import Judge, JudgeError
from .observation import Observation, Score
from .scorers.base import Said, Scorer, Seen
from .scorers.registered import UnregisteredError

if TYPE_CHECKING:
    from agentc_runtime.bundle import Program
    from agentc_runtime.secrets import Secrets

#: Type → the module and the function that makes the scorer. Each is imported when an eval names it.
SCORERS: Final[Mapping[str, tuple[str, str]]] = {
    "schema": ("values", "schema"),
    "exact": ("values", "exact"),
    "contains": ("values", "contains"),
    "regex": ("values", "regex"),
    "number": ("values", "number"),
    "similarity": ("values", "similarity"),
    "declines": ("values", "declines"),
    "tools": ("trajectory", "tools"),
    "states": ("trajectory", "states"),
    "refusals": ("trajectory", "refusals"),
    "approvals": ("trajectory", "approvals"),
    "effects": ("trajectory", "effects"),
    "valid_output": ("trajectory", "valid_output"),
    "status": ("trajectory", "status"),
    "latency": ("trajectory", "latency"),
    "tokens": ("trajectory", "tokens"),
    "cost": ("trajectory", "cost"),
    "leakage": ("leakage", "leakage"),
    "grounded": ("grounding", "grounded"),
    "citations": ("grounding", "citations"),
    "refusal": ("meaning", "refusal"),
    "embedding": ("meaning", "embedding"),
    "toxicity": ("meaning", "toxicity"),
    "rubric": ("graded", "rubric"),
    "pairwise": ("graded", "pairwise"),
    "python": ("registered", "registered"),
}


def scorer_of(spec: ScorerSpec) -> Scorer:
    """The scorer, ready to be asked.

    Raises:
        UnregisteredError: nobody registered it, or a package that it needs is not installed.
    """
    module, name = SCORERS[spec.type]
    make = getattr(import_module(f"{__package__}.scorers.{module}"), name)
    try:
        return cast("Callable[[ScorerSpec], Scorer]", make)(spec)
    except ModuleNotFoundError as error:
        raise UnregisteredError(
            f"scorer `{spec.type}` needs the package `{error.name}`: `pip install 'agentc[evals]'`"
        ) from error


class Scoring:
    """The scorers of one eval. `secrets` and `judge` are set before the first run."""

    def __init__(self, one: Resource[EvalSpec], program: Program, cases: Iterable[Case]) -> None:
        self._one = one
        self._program = program
        self._shared = [(spec, scorer_of(spec)) for spec in one.spec.scorers]
        specs = [*one.spec.scorers, *(spec for case in cases for spec in case.spec.assert_)]
        #: The models that grade and embed.
        self.judges = frozenset(model for spec in specs if (model := judge_of(spec)) is not None)
        #: Whether a scorer asks somebody, or is code of which nobody knows what it does.
        self.asks = bool(self.judges) or any(spec.type == "python" for spec in specs)
        self.secrets: Secrets | None = None
        self.judge: Judge | None = None

    async def scores(self, case: Case, run: Observation, judge: Judge | None = None) -> tuple[Score, ...]:
        """What every scorer says of a run. `judge` is asked in place of that of all runs."""
        assert self.secrets is not None
        assert self.judge is not None
        seen = Seen(case, run, self._program, self.secrets, judge or self.judge)
        own = [(spec, scorer_of(spec)) for spec in case.spec.assert_]
        scores = []
        for spec, scorer in (*self._shared, *own):
            try:
                said = scorer(seen)
                if inspect.isawaitable(said):
                    said = await said
            except JudgeError as error:
                said = Said(0, False, str(error))
            scores.append(
                Score(
                    scorer=name_of(spec),
                    value=float(said.value),
                    passed=said.passed,
                    reason=self.secrets.redact(said.reason),
                    required=spec.required,
                )
            )
        return tuple(scores)
