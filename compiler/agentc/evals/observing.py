"""From what a run tells its observers to an `Observation`."""

from __future__ import annotations

import json
from typing import Literal

import msgspec

from agentc_runtime import events
from agentc_runtime.bundle import Position, Program
from agentc_runtime.calls import ApprovalRequest, Claim, Decision
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.refusals import Refusal
from agentc_runtime.run import RunResult

from .current import CLAIMED
from .observation import Call, Check, Observation, Turn, Visit


class Observer(MemoryJournal):
    """Watches one run from all sides: its events, its journal, its log, and the questions to people.

    `approve` says to which tools a person agrees.
    """

    def __init__(self, program: Program, approve: str | tuple[str, ...]) -> None:
        super().__init__()
        self._program = program
        self._approve = approve
        self._calls: dict[str, Call] = {}
        self._turns: list[Turn] = []
        self._checks: list[Check] = []
        self._visits: list[Visit] = []

    def __call__(self, event: events.Event) -> None:
        """Note one event."""
        match event:
            case events.StateEntered():
                self._visits.append(Visit(state=event.state, type=event.type))
            case events.ModelTurn():
                self._turns.append(
                    Turn(
                        state=event.state,
                        model=event.model,
                        text=event.text,
                        calls=event.calls,
                        input=event.usage.input,
                        output=event.usage.output,
                        cost_usd=event.cost_usd,
                        seconds=event.seconds,
                    )
                )
            case events.OutputChecked():
                said = "" if event.valid else event.reason
                self._checks.append(
                    Check(state=event.state, model=event.model, valid=event.valid, reason=said)
                )
            case events.ToolCalled():
                tool = self._program.tools.get(event.tool)
                self._calls[event.call_id] = Call(
                    state=event.state,
                    tool=event.tool,
                    arguments=_json(event.arguments),
                    effect="" if tool is None else tool.effect,
                )
            case events.ApprovalAsked():
                self._change(event.call_id, asked=True)
            case events.ToolReturned():
                self._change(
                    event.call_id,
                    status=event.status,
                    answer=_json(event.content),
                    trust=event.label.trust,
                    sensitivity=event.label.sensitivity,
                    seconds=event.seconds,
                )
            case events.ToolRefused():
                self._change(event.call_id, **_why(event.refusal))
            case events.StateFailed():
                self._visit(next=event.next or "", **_why(event.refusal))
            case events.StateEnded():
                self._visit(next=event.next or "")
            case _:
                return

    def claim(self, claim: Claim) -> Literal["per_run", "per_day"] | None:
        """Note the call as it will be sent, and make it known to what answers it."""
        used = super().claim(claim)
        if used is None:
            self._change(claim.call_id, tool=claim.tool, arguments=dict(claim.arguments), sent=True)
            CLAIMED.set((claim.tool, claim.arguments))
        return used

    async def ask(self, request: ApprovalRequest) -> Decision:
        """What the person of the case says."""
        approved = self._approve == "all" or request.tool in self._approve
        self._change(request.call_id, approved=approved)
        return Decision(approved=approved, by="the eval's person", reason="" if approved else "not agreed")

    def start_run(self, run_id: str, **_: object) -> None:
        """Nothing: the case says all of it."""

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """Note what a state gave."""
        if not isinstance(outcome, Refusal):
            self._visit(output=outcome, gave=True)

    def end_run(self, run_id: str, status: str, *, output: object, refusal: Refusal | None) -> None:
        """Nothing: the result says it."""

    def observation(self, result: RunResult, output: object, seconds: float) -> Observation:
        """What was seen of a run that came to an end."""
        return Observation(
            status="succeeded" if result.status == "succeeded" else "failed",
            output=output,
            visits=tuple(self._visits),
            calls=tuple(self._calls.values()),
            turns=tuple(self._turns),
            checks=tuple(self._checks),
            tokens=result.usage.input + result.usage.output,
            cost_usd=None if result.cost is None else f"{result.cost:f}",
            seconds=seconds,
            **({} if result.refusal is None else _why(result.refusal)),
        )

    def broken(self, status: str, problem: str, seconds: float) -> Observation:
        """What was seen of a run that could not go on."""
        stopped = Observation(
            status="broken",
            problem=problem,
            visits=tuple(self._visits),
            calls=tuple(self._calls.values()),
            turns=tuple(self._turns),
            checks=tuple(self._checks),
            seconds=seconds,
        )
        return msgspec.structs.replace(stopped, status="stale") if status == "stale" else stopped

    def _change(self, call_id: str, **fields: object) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            self._calls[call_id] = msgspec.structs.replace(call, **fields)

    def _visit(self, **fields: object) -> None:
        if self._visits:
            self._visits[-1] = msgspec.structs.replace(self._visits[-1], **fields)


def _why(refusal: Refusal) -> dict[str, str]:
    return {"rule": refusal.code, "message": refusal.message, "at": _place(refusal.at)}


def _place(at: Position | None) -> str:
    return "" if at is None else f"{at.file}:{at.line}"


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
