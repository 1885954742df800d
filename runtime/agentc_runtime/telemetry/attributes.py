"""What an event says to telemetry: a name, how bad it is, and attributes that hold no content.

Content is what people and services wrote and models made of it: texts, arguments, answers, names of tools
that do not exist, messages that quote them. What stands here comes from the specs, or is a number or an id.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from .. import events
from ..bundle import Program
from ..calls import NOBODY
from ..models.types import Usage
from ..quoting import shortened
from ..refusals import Refusal
from . import names

Attributes: TypeAlias = dict[str, str | bool | int | float | tuple[str, ...]]
Severity: TypeAlias = Literal["DEBUG", "INFO", "WARN", "ERROR"]

#: Rules after which it is not known what the service did, or which say that it is broken.
_FAILURES: Final = ("AR4", "AR5")


def outcome_of(refusal: Refusal) -> str:
    """`failed` when the world did not do what was allowed, else `refused`."""
    return "failed" if refusal.code.startswith(_FAILURES) and refusal.code != "AR408" else "refused"


def decision_of(event: events.ApprovalDecided) -> str:
    """`approved`, `rejected`, or `unanswered`."""
    if event.approved:
        return "approved"
    return "unanswered" if event.by == NOBODY else "rejected"


def tool_name(program: Program, name: str) -> str:
    """The name, if it is that of a tool; what else a model calls is its own text."""
    return name if name in program.tools else names.OTHER


def of_refusal(refusal: Refusal) -> Attributes:
    """The rule and the spec line, without the message, which quotes values."""
    told: Attributes = {names.REFUSAL_CODE: refusal.code, names.REFUSAL_TITLE: refusal.title}
    if refusal.at is not None:
        told[names.FILE_PATH] = refusal.at.file
        told[names.LINE_NUMBER] = refusal.at.line
    return told


def of_usage(usage: Usage) -> Attributes:
    """Tokens, under the names of the conventions."""
    told: Attributes = {names.INPUT_TOKENS: usage.input, names.OUTPUT_TOKENS: usage.output}
    if usage.cached_input:
        told[names.CACHE_READ_TOKENS] = usage.cached_input
    if usage.cache_write:
        told[names.CACHE_WRITE_TOKENS] = usage.cache_write
    if usage.reasoning:
        told[names.REASONING_TOKENS] = usage.reasoning
    return told


def described(event: events.Event, program: Program) -> tuple[str, Severity, Attributes]:
    """The name of `event`, its severity and its attributes."""
    match event:
        case events.RunStarted() | events.RunParked() | events.RunEnded():
            return _of_run(event)
        case events.StateEntered() | events.StateEnded() | events.StateFailed():
            return _of_state(event)
        case events.ModelAsked() | events.ModelText() | events.ModelTurn():
            return _of_turn(event)
        case events.ModelRetried() | events.ModelFailed() | events.OutputChecked():
            return _of_model(event)
        case events.ToolCalled() | events.ToolRetried() | events.ToolReturned() | events.ToolRefused():
            return _of_tool(event, program)
        case events.ApprovalAsked() | events.ApprovalDecided():
            return _of_approval(event, program)
        case events.NotUndone():
            return names.EVENT_NOT_UNDONE, "WARN", _call(program, event.tool, event.call_id)
        case events.Retrieved():
            told = {names.STATE_NAME: event.state, names.DATA_SOURCE_ID: event.retriever}
            return names.EVENT_RETRIEVED, "INFO", {**told, names.PASSAGES: event.passages}


def of_arm(placement: events.Placement) -> Attributes:
    """Which arm of which channel: few enough values for metrics."""
    return {names.CHANNEL: placement.channel, names.ARM: placement.arm}


def _of_run(
    event: events.RunStarted | events.RunParked | events.RunEnded,
) -> tuple[str, Severity, Attributes]:
    told: Attributes = {names.RUN_ID: event.run_id}
    if isinstance(event, events.RunStarted):
        told |= {names.BUNDLE: event.bundle, names.ENVIRONMENT: event.environment, names.REPLAY: event.replay}
        if event.placement is not None:
            told |= {**of_arm(event.placement), names.SEQUENCE: event.placement.sequence}
        return names.EVENT_RUN_STARTED, "INFO", told
    if isinstance(event, events.RunParked):
        told[names.RUN_STATUS] = event.status
        return names.EVENT_RUN_PARKED, "INFO" if event.status == "waiting" else "ERROR", told
    told |= {names.RUN_STATUS: event.status, names.DURATION: event.seconds, **of_usage(event.usage)}
    if event.cost_usd is not None:
        told[names.COST] = float(event.cost_usd)
    if event.refusal is not None:
        told |= of_refusal(event.refusal)
    return names.EVENT_RUN_ENDED, "INFO" if event.status == "succeeded" else "ERROR", told


def _of_state(
    event: events.StateEntered | events.StateEnded | events.StateFailed,
) -> tuple[str, Severity, Attributes]:
    told: Attributes = {names.STATE_NAME: event.state}
    if isinstance(event, events.StateEntered):
        told |= {names.STATE_TYPE: event.type, names.STEP: event.step, names.ATTEMPT: event.attempt}
        return names.EVENT_STATE_ENTERED, "INFO", told
    if event.next is not None:
        told[names.STATE_NEXT] = event.next
    if isinstance(event, events.StateEnded):
        return names.EVENT_STATE_ENDED, "INFO", told
    told |= {names.RETRIED: event.retry, **of_refusal(event.refusal)}
    return names.EVENT_STATE_FAILED, "WARN", told


def _of_turn(
    event: events.ModelAsked | events.ModelText | events.ModelTurn,
) -> tuple[str, Severity, Attributes]:
    told: Attributes = {names.STATE_NAME: event.state}
    match event:
        case events.ModelText():
            return names.EVENT_MODEL_TEXT, "DEBUG", told
        case events.ModelAsked():
            told |= {names.MODEL_ALIAS: event.model, names.SENSITIVITY: event.label.sensitivity}
            return names.EVENT_MODEL_ASKED, "DEBUG", {**told, names.TRUST: event.label.trust}
    told |= {names.MODEL_ALIAS: event.model, names.MODEL_CALLS: event.calls, names.DURATION: event.seconds}
    if event.cost_usd is not None:
        told[names.COST] = float(event.cost_usd)
    if event.response is not None and event.response.cached:
        told[names.MODEL_CACHED] = True
    if event.response_id:
        told[names.RESPONSE_ID] = shortened(event.response_id)
    if event.response_model:
        told[names.RESPONSE_MODEL] = shortened(event.response_model)
    if event.finish_reason:
        told[names.FINISH_REASONS] = (event.finish_reason,)
    if event.first_chunk is not None:
        told[names.TIME_TO_FIRST_CHUNK] = event.first_chunk
    return names.EVENT_MODEL_ANSWERED, "INFO", told | of_usage(event.usage)


def _of_model(
    event: events.ModelRetried | events.ModelFailed | events.OutputChecked,
) -> tuple[str, Severity, Attributes]:
    told: Attributes = {names.STATE_NAME: event.state, names.MODEL_ALIAS: event.model}
    match event:
        case events.ModelRetried():
            return names.EVENT_MODEL_RETRIED, "WARN", {**told, names.ATTEMPT: event.attempt}
        case events.OutputChecked():
            severity: Severity = "INFO" if event.valid else "WARN"
            return names.EVENT_OUTPUT_CHECKED, severity, {**told, names.VALID: event.valid}
    told |= {names.ERROR_TYPE: error_of(event), names.DURATION: event.seconds}
    if event.next is not None:
        told[names.MODEL_NEXT] = event.next
    return names.EVENT_MODEL_FAILED, "WARN" if event.next else "ERROR", told


def error_of(event: events.ModelFailed) -> str:
    """The provider's status, if it gave one."""
    return names.OTHER if event.status is None else str(event.status)


def _of_tool(
    event: events.ToolCalled | events.ToolRetried | events.ToolReturned | events.ToolRefused, program: Program
) -> tuple[str, Severity, Attributes]:
    told: Attributes = {names.STATE_NAME: event.state, **_call(program, event.tool, event.call_id)}
    match event:
        case events.ToolCalled():
            if (tool := program.tools.get(event.tool)) is not None:
                told[names.EFFECT] = tool.effect
            return names.EVENT_TOOL_CALLED, "INFO", told
        case events.ToolRetried():
            told[names.ATTEMPT] = event.attempt
            return names.EVENT_TOOL_RETRIED, "WARN", told | of_refusal(event.refusal)
        case events.ToolRefused():
            told[names.OUTCOME] = outcome_of(event.refusal)
            return names.EVENT_TOOL_REFUSED, "WARN", told | of_refusal(event.refusal)
    return (
        names.EVENT_TOOL_RETURNED,
        "INFO",
        {
            **told,
            names.OUTCOME: "returned",
            names.STATUS_CODE: event.status,
            names.DURATION: event.seconds,
            names.TRUST: event.label.trust,
            names.SENSITIVITY: event.label.sensitivity,
            names.PAGES: event.pages,
            names.CACHED: event.cached,
        },
    )


def _of_approval(
    event: events.ApprovalAsked | events.ApprovalDecided, program: Program
) -> tuple[str, Severity, Attributes]:
    told = _call(program, event.tool, event.call_id)
    if isinstance(event, events.ApprovalAsked):
        return names.EVENT_APPROVAL_ASKED, "INFO", {names.STATE_NAME: event.state, **told}
    return names.EVENT_APPROVAL_DECIDED, "INFO", {names.OUTCOME: decision_of(event), **told}


def _call(program: Program, tool: str, call_id: str) -> Attributes:
    told: Attributes = {names.TOOL_CALL_ID: call_id}
    if tool:  # a state that asks a person calls none
        told[names.TOOL_NAME] = tool_name(program, tool)
    return told
