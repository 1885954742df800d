"""One run: what it knows, how sensitive that is, and what it has done. All that changes, changes here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ..budgets import Payer
from ..bundle import Program, SourceMap, Tool
from ..calls import Call, Returned
from ..events import Emit, Event
from ..expressions import Schema
from ..labels import NOTHING_READ, Label, join
from ..origins import Origins, origins_of
from ..values import ABSENT
from .steps import DirectSteps, Steps
from .tally import Tally
from .typed import label_at

if TYPE_CHECKING:
    from ..broker import Broker
    from ..calls import Journal
    from ..models.client import ModelClient
    from ..retrieval import Retriever
    from ..secrets import Secrets


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with: the program it executes, and the only doors that lead out of it.

    `agents` are those of the agents that it may hand off to.
    """

    program: Program
    source_map: SourceMap
    environment: str
    broker: Broker
    models: ModelClient
    journal: Journal
    secrets: Secrets
    emit: Emit
    steps: Steps = DirectSteps()
    retrievers: Mapping[str, Retriever] = {}
    agents: Mapping[str, Services] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How a state ended: what it gave (`ABSENT` when it gives nothing), and the state that comes next."""

    next: str | None
    output: object = ABSENT
    label: Label = NOTHING_READ


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An effect that took place: the call with the doors it went through, and the answer to it."""

    services: Services
    call: Call
    tool: Tool
    returned: Returned


class Run:
    """What changes in one run, or in one branch of it.

    `data` is what expressions and templates read. `acted` says that the current attempt of a state may have
    changed something in the world, `done` what was changed for certain, in order. `origins` is what the
    values of calls may be traced to. `scope` is the name of the branch: all that has an id in the run begins
    with it, so that ids never depend on which of two branches was faster. `output` is the schema of the
    result, `None` in a branch: there it is checked as part of its state's output.
    """

    def __init__(
        self,
        run_id: str,
        services: Services,
        *,
        input: object,  # noqa: A002  the name in the language
        session: object,
        origins: Origins | None = None,
    ) -> None:
        program = services.program
        self.run_id = run_id
        self.services = services
        self.scope = ""
        self.output: Schema | None = program.output
        self._states: dict[str, object] = {}
        self._labels: dict[str, Label] = {}
        self.data: dict[str, object] = {"input": input, "session": session, "states": self._states}
        self.tally = Tally(program.limits, services.source_map)
        payer = Payer(program=program, source_map=services.source_map, session=session)
        self.payers: tuple[Payer, ...] = (payer,) if payer.limited else ()
        self.steps = 0
        self.acted = False
        self.done: list[Done] = []
        self.origins = origins or origins_of(program, input, session)
        self._keys: dict[str, int] = {}
        self._forks = 0

    def key(self, kind: str) -> str:
        """The next key of a step of this kind, behind the scope: `model-1`, `2.web/model-1`.

        The same in each replay of the run, whichever branch is faster.
        """
        number = self._keys[kind] = self._keys.get(kind, 0) + 1
        return f"{self.scope}{kind}-{number}"

    def enter(self) -> int:
        """The number of the next state in this scope. Raises `RefusedError` AR501 over `limits.steps`."""
        self.tally.enter()
        self.steps += 1
        return self.steps

    def next_fork(self) -> int:
        """The number that the scopes of the next branches begin with."""
        self._forks += 1
        return self._forks

    def branch(self, fork: int, name: str, item: tuple[str, object, Label] | None = None) -> Run:
        """A branch that reads what is known here now, and keeps what it learns to itself.

        In a `map` it knows as well the `item` of that state: its name, the value and its label.
        """
        child = Run(
            self.run_id,
            self._scoped(fork, name, self.services),
            input=self.data["input"],
            session=self.data["session"],
            origins=Origins(self.origins),
        )
        child.scope = f"{self.scope}{fork}.{name}/"
        child.output = None
        child.tally = self.tally
        child.payers = self.payers
        child._states.update(self._states)
        child._labels.update(self._labels)
        if item is not None:
            state, value, label = item
            child._states[state] = {"item": value}
            child._labels[state] = label
        return child

    def handoff(self, fork: int, services: Services, given: object, session: object) -> Run:
        """The run of another agent inside this one. It knows what it is given and nothing else."""
        name = services.program.agent.name
        child = Run(self.run_id, self._scoped(fork, name, services), input=given, session=session)
        child.scope = f"{self.scope}{fork}.{name}/"
        child.tally = Tally(services.program.limits, services.source_map, self.tally)
        child.payers += self.payers
        return child

    def join(self, child: Run) -> None:
        """Take over what a branch has done and learned. The order in which they are joined never changes."""
        self.acted = self.acted or child.acted
        self.done += child.done
        if child.tally is self.tally:
            self.origins.absorb(child.origins)

    def keep(self, state: str, step: Step) -> None:
        """Make a state's output readable by the states after it, under the label it was made from."""
        if step.output is not ABSENT:
            self._states[state] = {"output": step.output}
            self._labels[state] = step.label

    def label_of(self, paths: Iterable[tuple[str, ...]]) -> Label:
        """The label of all that stands at `paths`. Values that can't carry text are typed (see `typed`)."""
        program, label = self.services.program, NOTHING_READ
        for path in paths:
            label = join(label, label_at(program, path, self._labels))
        return label

    def _scoped(self, fork: int, name: str, services: Services) -> Services:
        """The services whose events say the branch that they come from."""
        told = self.services.emit

        def emit(event: Event) -> None:
            told(msgspec.structs.replace(event, scope=f"{fork}.{name}/{event.scope}"))

        return msgspec.structs.replace(services, emit=emit)
