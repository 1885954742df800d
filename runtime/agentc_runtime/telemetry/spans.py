"""A run as spans: `invoke_workflow` or `invoke_agent` around it, `chat` and `execute_tool` inside it.

What is open is known for each scope, in which one thing comes after the other, so that branches that run at
once do not get into each other's spans. A step that an engine only remembered leaves no span: nobody asked a
model or sent anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from .. import events
from ..bundle import Model, Program
from ..labels import Label
from ..models.types import ModelRequest
from ..refusals import Refusal, RefusedError
from ..request import base_url
from ..urls import parse_url
from ..workflow import AgentState, EndState, HandoffState, RetrieveState
from . import content as shapes
from . import names
from .attributes import Attributes, described, error_of, of_refusal, tool_name
from .content import Content
from .scopes import enclosing

#: What becomes an event of the span that is open. The rest begins spans, ends them, or stands in them.
_TOLD: Final = (
    events.StateEntered
    | events.StateEnded
    | events.StateFailed
    | events.ModelRetried
    | events.ModelFailed
    | events.OutputChecked
    | events.ToolRetried
    | events.ToolRefused
    | events.ApprovalAsked
    | events.ApprovalDecided
    | events.Retrieved
    | events.NotUndone
)


@dataclass(slots=True)
class _Frame:
    """Something that is open: `span` is its own if it `ends` it, else that of what is around it.

    `chat` is the model turn under way in it, with the label of what the model was told.
    """

    kind: str
    name: str
    span: Span
    ends: bool
    before: Context
    label: Label = events.UNKNOWN
    chat: Span | None = None


class Spans:
    """The spans of one run. `open` is told of each event before other observers, `close` after them."""

    def __init__(
        self, tracer: Tracer, program: Program, environment: str, content: Content, parent: Context | None
    ) -> None:
        self._tracer = tracer
        self._environment = environment
        self._content = content
        self._parent = parent
        self._open: dict[str, list[_Frame]] = {}
        working = [state for state in program.states.values() if not isinstance(state, EndState)]
        #: The agent is all the workflow: the span of the run is that of its state.
        self._alone = len(working) == 1 and isinstance(working[0], AgentState)

    def open(self, event: events.Event, program: Program) -> None:
        """Begin the span of what `event` begins, or add what it tells to the span that is open.

        `program` is that of the agent that `event` is about.
        """
        _, _, told = described(event, program)
        if isinstance(event, events.RunStarted):
            self._start_run(event, program, told)
        frame = self._frame(event.scope)
        if frame is None:
            return
        if isinstance(event, _TOLD):
            self._tell(frame, event, program)
        match event:
            case events.StateEntered():
                self._enter(frame, event, program, told)
            case events.ModelAsked():
                self._ask(frame, event, program, told)
            case events.ModelTurn(remembered=False) if frame.chat is not None:
                frame.chat.set_attributes(told)
                if event.response is not None and self._content.shows(frame.label):
                    written = self._content.written(shapes.output_messages(event.response))
                    frame.chat.set_attribute(names.OUTPUT_MESSAGES, written)
            case events.RunEnded() | events.RunParked():
                self._open[""][0].span.set_attributes(told)
            case events.ToolCalled():
                self._call(frame, event, program, told)
            case events.ToolReturned():
                frame.span.set_attributes(told)
                if self._content.shows(event.label):
                    frame.span.set_attribute(names.TOOL_CALL_RESULT, self._content.clean(event.content))

    def close(self, event: events.Event) -> None:
        """End the span of what `event` ends."""
        match event:
            case events.ModelTurn(remembered=False):
                self._end_chat(event.scope, None)
            case events.ModelFailed():
                self._end_chat(event.scope, error_of(event))
            case events.ToolReturned():
                self._pop(event.scope, "tool", event.call_id, None)
            case events.ToolRefused():
                self._pop(event.scope, "tool", event.call_id, event.refusal)
            case events.StateFailed():
                self._pop(event.scope, "state", event.state, event.refusal)
            case events.StateEnded():
                self._pop(event.scope, "state", event.state, None)
            case events.RunEnded() | events.RunParked():
                self._end_run(event)

    # --- what is open ----------------------------------------------------------------------------------

    def _frame(self, scope: str) -> _Frame | None:
        """What is open innermost in `scope`, or around it."""
        for each in (scope, *enclosing(scope)):
            if self._open.get(each):
                return self._open[each][-1]
        return None

    def _push(self, scope: str, kind: str, name: str, span: Span | None, around: Span) -> None:
        before = otel_context.get_current()
        self._open.setdefault(scope, []).append(
            _Frame(kind, name, around if span is None else span, span is not None, before)
        )
        if span is not None:
            otel_context.attach(trace.set_span_in_context(span, before))

    def _pop(
        self, scope: str, kind: str, name: str, refusal: Refusal | None, stopped: str | None = None
    ) -> None:
        """End what is open in `scope` up to the frame of that kind and name, and all that lies inside it."""
        frames = self._open.get(scope, [])
        found = [index for index, frame in enumerate(frames) if (frame.kind, frame.name) == (kind, name)]
        if not found:
            return  # it was begun before an engine took the run up again
        error = stopped if refusal is None else refusal.code
        inside = [each for each in self._open if each.startswith(scope) and each != scope]
        for each in sorted(inside, key=len, reverse=True):  # branches that were not needed any more
            for frame in reversed(self._open.pop(each)):
                self._end(frame, error or names.CANCELLED, None)
        for frame in reversed(frames[found[-1] :]):
            self._end(frame, error, refusal)
        del frames[found[-1] :]

    def _end(self, frame: _Frame, error: str | None, refusal: Refusal | None) -> None:
        if frame.chat is not None:
            _failed(frame.chat, error)
            frame.chat.end()
        if frame.ends:
            if error is not None:
                _failed(frame.span, error)
            if refusal is not None:
                frame.span.set_attributes(of_refusal(refusal))
            frame.span.end()
        otel_context.attach(frame.before)

    def _tell(self, frame: _Frame, event: events.Event, program: Program) -> None:
        name, _, told = described(event, program)
        refusal = getattr(event, "refusal", None)
        label = event.label if isinstance(event, events.ToolRefused) else events.UNKNOWN
        if isinstance(refusal, Refusal) and self._content.shows(label):
            told[names.REFUSAL_MESSAGE] = self._content.clean(refusal.message)
        asked = frame.chat if isinstance(event, events.ModelRetried) else None
        (asked or frame.span).add_event(name, told)

    # --- runs and states -------------------------------------------------------------------------------

    def _start_run(self, event: events.RunStarted, program: Program, told: Attributes) -> None:
        operation = names.INVOKE_AGENT if self._alone else names.INVOKE_WORKFLOW
        attributes = _agent(operation, program) | told
        if not self._alone:
            attributes[names.WORKFLOW_NAME] = event.agent
        name = f"{operation} {event.agent}"
        span = self._tracer.start_span(name, self._parent, SpanKind.INTERNAL, attributes)
        self._push("", "run", event.run_id, span, span)

    def _end_run(self, event: events.RunEnded | events.RunParked) -> None:
        refusal = event.refusal if isinstance(event, events.RunEnded) else None
        stopped = None if event.status in ("succeeded", "waiting") else event.status
        self._pop("", "run", event.run_id, refusal, stopped)
        self._open.clear()

    def _enter(self, frame: _Frame, event: events.StateEntered, program: Program, told: Attributes) -> None:
        state = program.states.get(event.state)
        attributes: Attributes | None = None
        name = ""
        match state:
            case AgentState() if not (self._alone and not event.scope):
                attributes = _agent(names.INVOKE_AGENT, program) | told
                name = program.agent.name
                for alias in state.models[:1]:
                    attributes |= _model(program.models[alias])
            case HandoffState() if state.agent in program.agents:
                other = program.agents[state.agent]
                attributes = _agent(names.INVOKE_AGENT, other) | told
                name = other.agent.name
            case RetrieveState():
                attributes = {names.OPERATION: names.RETRIEVAL, names.DATA_SOURCE_ID: state.retriever, **told}
                name = state.retriever
        span = None
        if attributes is not None:
            shown = f"{attributes[names.OPERATION]} {name}"
            span = self._tracer.start_span(shown, _inside(frame), SpanKind.INTERNAL, attributes)
        self._push(event.scope, "state", event.state, span, frame.span)

    # --- models and tools ------------------------------------------------------------------------------

    def _server(self, program: Program, model: Model) -> Attributes:
        environment = program.environments.get(self._environment)
        if environment is None:
            return {}
        try:
            url = parse_url(base_url(model.endpoint, environment).origin)
        except RefusedError:
            return {}  # the call itself will say so
        return {names.SERVER_ADDRESS: url.host, names.SERVER_PORT: url.port}

    def _ask(self, frame: _Frame, event: events.ModelAsked, program: Program, told: Attributes) -> None:
        model = program.models.get(event.model)
        if model is None:
            return
        attributes: Attributes = {
            names.OPERATION: names.CHAT,
            names.AGENT_NAME: program.agent.name,
            **_model(model),
            **self._server(program, model),
            names.REQUEST_MAX_TOKENS: model.max_output_tokens,
            names.REQUEST_STREAM: True,
            **told,
        }
        if model.temperature is not None:
            attributes[names.REQUEST_TEMPERATURE] = float(model.temperature)
        if event.request is not None:
            attributes |= self._request(event.request, event.label)
        frame.label = event.label
        name = f"{names.CHAT} {model.model}"
        frame.chat = self._tracer.start_span(name, _inside(frame), SpanKind.CLIENT, attributes)

    def _request(self, request: ModelRequest, label: Label) -> Attributes:
        attributes: Attributes = {names.OUTPUT_TYPE: "text" if request.output is None else "json"}
        if not self._content.shows(label):
            return attributes
        written = self._content.written
        attributes[names.SYSTEM_INSTRUCTIONS] = written([{"type": "text", "content": request.instructions}])
        attributes[names.INPUT_MESSAGES] = written(shapes.input_messages(request))
        if request.tools:
            attributes[names.TOOL_DEFINITIONS] = written(shapes.tool_definitions(request))
        return attributes

    def _end_chat(self, scope: str, error: str | None) -> None:
        frame = self._frame(scope)
        if frame is None or frame.chat is None:
            return
        if error is not None:
            _failed(frame.chat, error)
        frame.chat.end()
        frame.chat = None

    def _call(self, frame: _Frame, event: events.ToolCalled, program: Program, told: Attributes) -> None:
        attributes: Attributes = {
            names.OPERATION: names.EXECUTE_TOOL,
            names.AGENT_NAME: program.agent.name,
            names.TOOL_TYPE: "extension",
            **told,
        }
        if (tool := program.tools.get(event.tool)) is not None:
            attributes[names.TOOL_DESCRIPTION] = tool.description
        if self._content.shows(event.label):
            attributes[names.TOOL_CALL_ARGUMENTS] = self._content.clean(event.arguments)
        name = f"{names.EXECUTE_TOOL} {tool_name(program, event.tool)}"
        span = self._tracer.start_span(name, _inside(frame), SpanKind.INTERNAL, attributes)
        self._push(event.scope, "tool", event.call_id, span, frame.span)


def _agent(operation: str, program: Program) -> Attributes:
    agent = program.agent
    return {
        names.OPERATION: operation,
        names.AGENT_NAME: agent.name,
        names.AGENT_VERSION: agent.version,
        names.AGENT_DESCRIPTION: agent.description,
    }


def _model(model: Model) -> Attributes:
    return {names.PROVIDER: names.PROVIDERS[model.provider], names.REQUEST_MODEL: model.model}


def _inside(frame: _Frame) -> Context:
    return trace.set_span_in_context(frame.span, otel_context.get_current())


def _failed(span: Span, error: str | None) -> None:
    span.set_status(Status(StatusCode.ERROR))
    span.set_attribute(names.ERROR_TYPE, error or names.OTHER)
