"""A run as measurements: the conventions' own instruments, and those of what a bundle enforces.

Attributes take few values: names out of the bundle, codes of rules, outcomes. Nothing that a model, a person
or a service wrote is among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final, TypeAlias

from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    NoOpUpDownCounter,
    Observation,
    UpDownCounter,
)

from .. import events
from ..bundle import Program
from ..quoting import shortened
from ..refusals import Refusal
from . import names
from .attributes import Attributes, decision_of, error_of, of_arm, outcome_of, tool_name

#: The model whose turn is under way in this task, and when the last piece of its answer arrived.
_ARRIVED: Final[ContextVar[tuple[str, float | None]]] = ContextVar("agentc_last_chunk", default=("", None))


#: How many approvals wait, by attributes.
Waiting: TypeAlias = Callable[[], Iterable[tuple[int, Attributes]]]


class Instruments:
    """The instruments of `names.METRICS`, made once for a meter.

    `waiting` says how many approvals wait, where that is known better than by who asked in this process.
    """

    def __init__(self, meter: Meter, waiting: Waiting | None = None) -> None:
        def histogram(metric: names.Metric) -> Histogram:
            return meter.create_histogram(
                metric.name,
                metric.unit,
                metric.description,
                explicit_bucket_boundaries_advisory=metric.buckets,
            )

        def counter(metric: names.Metric) -> Counter:
            return meter.create_counter(metric.name, metric.unit, metric.description)

        def gauge(metric: names.Metric) -> UpDownCounter:
            return meter.create_up_down_counter(metric.name, metric.unit, metric.description)

        self.tokens = histogram(names.TOKEN_USAGE)
        self.operations = histogram(names.OPERATION_DURATION)
        self.first_chunk = histogram(names.FIRST_CHUNK)
        self.output_chunk = histogram(names.OUTPUT_CHUNK)
        self.runs = histogram(names.RUN_DURATION)
        self.active = gauge(names.RUNS_ACTIVE)
        self.costs = counter(names.RUN_COSTS)
        self.calls = counter(names.TOOL_CALLS)
        self.answers = histogram(names.TOOL_DURATION)
        self.refusals = counter(names.REFUSALS)
        self.waiting = gauge(names.APPROVALS_WAITING) if waiting is None else _observed(meter, waiting)
        self.approvals = counter(names.APPROVALS)
        self.decisions = histogram(names.APPROVAL_DURATION)
        self.checks = counter(names.OUTPUT_CHECKS)
        self.retries = counter(names.RETRIES)
        metric = names.EVAL_PASS_RATE
        self.pass_rate = meter.create_gauge(metric.name, metric.unit, metric.description)


def _observed(meter: Meter, waiting: Waiting) -> UpDownCounter:
    metric = names.APPROVALS_WAITING

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, told) for count, told in waiting()]

    meter.create_observable_up_down_counter(metric.name, [observe], metric.unit, metric.description)
    return NoOpUpDownCounter(metric.name, metric.unit, metric.description)


class Measurements:
    """The measurements of one run."""

    def __init__(self, instruments: Instruments, environment: str) -> None:
        self._to = instruments
        self._environment = environment
        self._asked: dict[str, tuple[float, Attributes]] = {}
        self._arm: Attributes = {}

    def __call__(self, event: events.Event, program: Program) -> None:
        """Record what `event` tells about the agent of `program`."""
        if isinstance(event, events.RunStarted) and event.placement is not None:
            self._arm = of_arm(event.placement)
        of_agent: Attributes = {
            **self._arm,
            names.AGENT_NAME: program.agent.name,
            names.AGENT_VERSION: program.agent.version,
            names.ENVIRONMENT: self._environment,
        }
        match event:
            case events.RunStarted():
                self._to.active.add(1, of_agent)
            case events.RunParked():
                # whoever takes it up asks again, or knows the answer
                for _, told in self._asked.values():
                    self._to.waiting.add(-1, told)
                self._asked.clear()
                self._to.active.add(-1, of_agent)
            case events.RunEnded():
                self._end(event, of_agent)
            case events.ModelAsked() | events.ModelText() | events.ModelTurn() | events.ModelFailed():
                self._of_model(event, program)
            case events.OutputChecked():
                self._to.checks.add(1, {**of_agent, names.STATE_NAME: event.state, names.VALID: event.valid})
            case events.ModelRetried():
                self._retried("model", event.state, of_agent)
            case events.ToolRetried():
                self._retried("tool", event.state, of_agent)
            case events.StateFailed(retry=True):
                self._retried("state", event.state, of_agent)
            case events.ToolReturned():
                told = {**of_agent, names.TOOL_NAME: event.tool}
                self._to.calls.add(1, {**told, names.OUTCOME: "returned"})
                self._to.answers.record(event.seconds, told)
            case events.ToolRefused():
                told = {**of_agent, names.TOOL_NAME: tool_name(program, event.tool)}
                self._to.calls.add(1, {**told, names.OUTCOME: outcome_of(event.refusal)})
                self._refused(event.refusal, told)
            case events.ApprovalAsked():
                told = {**of_agent, names.STATE_NAME: event.state}
                self._to.waiting.add(1, told)
                self._asked[event.call_id] = (time.monotonic(), told)
            case events.ApprovalDecided():
                self._decide(event.call_id, decision_of(event))

    def _end(self, event: events.RunEnded, of_agent: Attributes) -> None:
        for call_id in tuple(self._asked):  # stopped while people were asked
            self._decide(call_id, "unanswered")
        self._to.active.add(-1, of_agent)
        told = {**of_agent, names.RUN_STATUS: event.status}
        self._to.runs.record(event.seconds, told)
        if event.cost_usd is not None:
            self._to.costs.add(float(event.cost_usd), told)
        if event.refusal is not None:
            self._refused(event.refusal, of_agent)

    def _refused(self, refusal: Refusal, told: Attributes) -> None:
        self._to.refusals.add(1, {**told, names.REFUSAL_CODE: refusal.code})

    def _retried(self, what: str, state: str, of_agent: Attributes) -> None:
        self._to.retries.add(1, {**of_agent, names.STATE_NAME: state, names.RETRY_OF: what})

    def _decide(self, call_id: str, decision: str) -> None:
        if call_id not in self._asked:
            return  # asked before an engine took the run up again
        asked, told = self._asked.pop(call_id)
        self._to.waiting.add(-1, told)
        self._to.approvals.add(1, {**told, names.OUTCOME: decision})
        self._to.decisions.record(time.monotonic() - asked, {**told, names.OUTCOME: decision})

    # --- models ----------------------------------------------------------------------------------------

    def _of_model(
        self,
        event: events.ModelAsked | events.ModelText | events.ModelTurn | events.ModelFailed,
        program: Program,
    ) -> None:
        match event:
            case events.ModelAsked():
                _ARRIVED.set((event.model, None))
            case events.ModelText():
                (alias, before), now = _ARRIVED.get(), time.monotonic()
                _ARRIVED.set((alias, now))
                if before is not None:
                    self._to.output_chunk.record(now - before, self._chat(program, alias))
            case events.ModelFailed():
                told = {**self._chat(program, event.model), names.ERROR_TYPE: error_of(event)}
                self._to.operations.record(event.seconds, told)
            case events.ModelTurn(remembered=False):
                self._turn(event, self._chat(program, event.model))

    def _chat(self, program: Program, alias: str) -> Attributes:
        told: Attributes = {names.OPERATION: names.CHAT, names.AGENT_NAME: program.agent.name, **self._arm}
        if (model := program.models.get(alias)) is not None:
            told[names.PROVIDER] = names.PROVIDERS[model.provider]
            told[names.REQUEST_MODEL] = model.model
        return told

    def _turn(self, event: events.ModelTurn, told: Attributes) -> None:
        if event.response_model:
            told[names.RESPONSE_MODEL] = shortened(event.response_model)
        self._to.operations.record(event.seconds, told)
        self._to.tokens.record(event.usage.input, {**told, names.TOKEN_TYPE: "input"})
        self._to.tokens.record(event.usage.output, {**told, names.TOKEN_TYPE: "output"})
        if event.first_chunk is not None:
            self._to.first_chunk.record(event.first_chunk, told)
