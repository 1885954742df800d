"""One run: what it knows, how sensitive that is, and what it has spent. All that changes, changes here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..bundle import Label, Model, Program, SourceMap
from ..events import Event
from ..labels import NOTHING_READ, join
from ..models.cost import cost_usd
from ..models.types import Usage
from ..origins import origins_of
from ..values import ABSENT
from .failures import failure
from .steps import DirectSteps, Steps
from .typed import label_at

if TYPE_CHECKING:
    from ..broker import Broker
    from ..calls import Journal
    from ..models.client import ModelClient
    from ..secrets import Secrets

Emit: TypeAlias = Callable[[Event], None]


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with: the program it executes, and the only doors that lead out of it."""

    program: Program
    source_map: SourceMap
    environment: str
    broker: Broker
    models: ModelClient
    journal: Journal
    secrets: Secrets
    emit: Emit
    steps: Steps = DirectSteps()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How a state ended: what it gave (`ABSENT` when it gives nothing), and the state that comes next."""

    next: str | None
    output: object = ABSENT
    label: Label = NOTHING_READ


class Run:
    """The one mutable object of a run.

    `data` is what expressions and templates read. `usage`, `cost` (US dollars, `None` once a model without
    prices was used) and the counters are totals so far. `acted` says that the current attempt of a state may
    have changed something in the world. `origins` is what the values of calls may be traced to.
    """

    def __init__(self, run_id: str, services: Services, *, input: object, session: object) -> None:  # noqa: A002  the name in the language
        self.run_id = run_id
        self.services = services
        self._states: dict[str, object] = {}
        self._labels: dict[str, Label] = {}
        self.data: dict[str, object] = {"input": input, "session": session, "states": self._states}
        self.usage = Usage()
        self.cost: Decimal | None = Decimal(0)
        self.steps = 0
        self.calls = 0
        self.refused = 0
        self.acted = False
        self.origins = origins_of(services.program, input, session)
        self._keys: Counter[str] = Counter()

    def key(self, kind: str) -> str:
        """The next key of a step of this kind: `model-1`, `model-2`. The same in each replay of the run."""
        self._keys[kind] += 1
        return f"{kind}-{self._keys[kind]}"

    def enter(self) -> int:
        """Count one more state. Raises `RefusedError` AR501 when `limits.steps` is used up."""
        limit = self.services.program.limits.steps
        if self.steps >= limit:
            raise self._over("steps", f"limit `steps` of {limit} is used up", self.steps)
        self.steps += 1
        return self.steps

    def keep(self, state: str, step: Step) -> None:
        """Make a state's output readable by the states after it, under the label it was made from."""
        if step.output is not ABSENT:
            self._states[state] = {"output": step.output}
            self._labels[state] = step.label

    def label_of(self, paths: Iterable[tuple[str, ...]]) -> Label:
        """The label of all that stands at `paths`. Values that can't carry text are typed (see `typed`)."""
        program = self.services.program
        return join(NOTHING_READ, *(label_at(program, path, self._labels) for path in paths))

    def afford(self, model: Model) -> None:
        """Check the limits on tokens and cost. Raises `RefusedError` AR501 when no turn may be started.

        A limit on cost that can't be kept, because the model has no prices, lets nothing through.
        """
        limits = self.services.program.limits
        tokens = self.usage.input + self.usage.output
        if limits.tokens is not None and tokens >= limits.tokens:
            said = f"limit `tokens` of {limits.tokens} is used up: {tokens} so far"
            raise self._over("tokens", said, tokens)
        if limits.cost_usd is None:
            return
        if model.prices is None or self.cost is None:
            said = f"limit `cost_usd` can't be kept: model `{model.alias}` has no `prices`"
            raise self._over("cost_usd", said, model.alias)
        if self.cost >= Decimal(limits.cost_usd):
            said = f"limit `cost_usd` of {limits.cost_usd} is used up: {self.cost} so far"
            raise self._over("cost_usd", said, str(self.cost))

    def spend(self, model: Model, usage: Usage) -> Decimal | None:
        """Add one turn to the totals, and say what it cost; `None` when the model has no prices."""
        total = self.usage
        self.usage = Usage(
            input=total.input + usage.input,
            output=total.output + usage.output,
            cached_input=total.cached_input + usage.cached_input,
            reasoning=total.reasoning + usage.reasoning,
        )
        cost = cost_usd(model, usage)
        self.cost = None if cost is None or self.cost is None else self.cost + cost
        return cost

    def _over(self, limit: str, message: str, value: object) -> Exception:
        return failure(self.services.source_map, "AR501", message, key=f"limits/{limit}", value=value)
