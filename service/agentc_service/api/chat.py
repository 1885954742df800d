"""The wire format of OpenAI's chat completions and models, so that clients made for it reach agents.

A model is an agent, and a completion is a run: begun by the same function as any other, in the caller's
tenant. The answer comes when the run has given it, because it is checked as a whole before it is one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from agentc_runtime.models.types import Usage

from ..chat import TUNING, Said, UnfitChatError, answer_of, input_of
from ..ending import GOES_ON, Ending, ending
from ..events import EventStreams
from ..problems import ProblemError
from ..runs import Runs
from ..settings import Served
from ..watching import trace_of
from .chat_views import Answer, ChatRequest, Choice, Completion, CompletionUsage, Message, Model, ModelList
from .openai_errors import ChatError, OpenAIRoute, documented
from .parts import SESSION_ID, RunsPart, SettingsPart, Starter, StreamsPart
from .runs import SEND_TIMEOUT

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute)
#: Values of what is not taken otherwise that say nothing but what is so anyway.
_SAYS_NOTHING: Final[Mapping[str, object]] = {
    "response_format": {"type": "text"}, "modalities": ["text"], "logprobs": False, "n": 1,
}  # fmt: skip
#: When the agents became models here.
_SINCE: Final = int(time.time())


@dataclass(frozen=True)
class _Begun:
    """A run that is under way."""

    run_id: str
    agent: str
    created: int


_EVENTS: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The answer; with `stream`, events of which each holds a `chat.completion.chunk`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/models", operation_id="listModels", responses=documented(401, 403, 429, 503))
async def list_models(_: Starter, settings: SettingsPart) -> ModelList:
    """The agents that can be chatted with."""
    return ModelList(data=[_model(settings.agents[name]) for name in sorted(settings.agents)])


@router.get("/models/{model}", operation_id="getModel", responses=documented(401, 403, 404, 429, 503))
async def get_model(_: Starter, model: str, runs: RunsPart) -> Model:
    """One agent."""
    return _model(_served(runs, model))


@router.post(
    "/chat/completions", operation_id="createChatCompletion", response_model=Completion,
    responses={**_EVENTS, **documented(400, 401, 403, 404, 409, 413, 422, 429, 503, 504)},
)  # fmt: skip
async def complete(
    caller: Starter,
    body: ChatRequest,
    request: Request,
    response: Response,
    runs: RunsPart,
    streams: StreamsPart,
    session_id: Annotated[
        str | None, Header(alias="agentc-session-id", pattern=SESSION_ID, description="As `session_id`.")
    ] = None,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> Completion | EventSourceResponse:
    """Run an agent, and answer with what it gives.

    The same `Idempotency-Key` with the same request gives the same run again, also after it waited for a
    person.
    """
    served = _served(runs, body.model)
    ignored = _ignored(body)
    try:
        given = input_of(served.bundle.program.input.schema, _chat(body.messages))
    except UnfitChatError as error:
        raise ChatError(HTTPStatus.BAD_REQUEST, str(error), param=error.parameter) from error
    if None not in (session_id, body.session_id) and session_id != body.session_id:
        raise ChatError(HTTPStatus.BAD_REQUEST, "`session_id` and the header name two", param="session_id")
    chosen = session_id or body.session_id
    session = await runs.session(caller, served.name, body.session, chosen)
    run_id = await runs.start(
        caller, agent=served.name, input=given, session=session, session_id=chosen,
        key=idempotency_key, trace=trace_of(request.headers),
    )  # fmt: skip
    run = (await runs.own(run_id)).run
    begun = _Begun(run_id, served.name, int(datetime.fromisoformat(run.started).timestamp()))
    headers = {"agentc-run-id": run_id, **({"agentc-ignored": ", ".join(ignored)} if ignored else {})}
    if body.stream:
        counts = body.stream_options is not None and bool(body.stream_options.include_usage)
        events = _chunks(runs, streams, begun, counts=counts)
        return EventSourceResponse(events, headers=headers, send_timeout=SEND_TIMEOUT, ping=15)
    end = await ending(runs, streams, run_id)
    try:
        text = _given(run_id, end)
    except ChatError as error:
        error.headers |= headers
        raise
    response.headers.update(headers)
    choice = Choice(message=Answer(content=text))
    return Completion(
        id=f"chatcmpl-{run_id}",
        created=begun.created,
        model=served.name,
        choices=[choice],
        usage=_usage(end.usage),
    )


def _served(runs: Runs, name: str) -> Served:
    try:
        return runs.served(name)
    except ProblemError as error:
        raise ChatError(error.status, error.detail, param="model", code="model_not_found") from error


def _model(served: Served) -> Model:
    return Model(id=served.name, created=_SINCE, owned_by=served.bundle.program.agent.owner)


def _ignored(body: ChatRequest) -> list[str]:
    """What of the request changes nothing.

    Raises:
        ChatError: 400 for what would have to change something.
    """
    ignored = []
    for name, value in (body.model_extra or {}).items():
        if value is None or (name in _SAYS_NOTHING and value == _SAYS_NOTHING[name]):
            continue
        if name not in TUNING:
            raise ChatError(
                HTTPStatus.BAD_REQUEST,
                f"`{name[:80]}` is not taken: an agent's tools, models and output are those of its bundle",
                param=name[:80],
                code="unsupported_parameter",
            )
        ignored.append(name)
    return sorted(ignored)


def _chat(messages: list[Message]) -> list[Said]:
    said = []
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        for name, value in (message.model_extra or {}).items():
            if value not in (None, [], {}) and name != "name":
                raise UnfitChatError(f"`{name[:80]}` is not taken", f"{where}.{name[:80]}")
        if isinstance(message.content, str):
            text = message.content
        else:
            text = "".join(_text(part, where) for part in message.content or ())
        said.append(Said(message.role, text))
    return said


def _text(part: Mapping[str, object], where: str) -> str:
    text = part.get("text")
    if part.get("type") != "text" or not isinstance(text, str):
        raise UnfitChatError("only parts of the type `text` are taken", f"{where}.content")
    return text


def _given(run_id: str, end: Ending) -> str:
    """The answer.

    Raises:
        ChatError: there is none: 422 the run failed, was cancelled or waits for somebody; 504 it goes on.
    """
    if end.status == "succeeded":
        return answer_of(end.output)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if end.status in GOES_ON:
        status = HTTPStatus.GATEWAY_TIMEOUT
    raise ChatError(
        status,
        end.reason(run_id),
        kind=f"run_{end.status}",
        code=None if end.refusal is None else end.refusal.code,
        # clients must not begin another run by themselves
        headers={"x-should-retry": "false"},
    )


async def _chunks(
    runs: Runs, streams: EventStreams, begun: _Begun, *, counts: bool
) -> AsyncIterator[ServerSentEvent]:
    frame: dict[str, object] = {
        "id": f"chatcmpl-{begun.run_id}",
        "object": "chat.completion.chunk",
        "created": begun.created,
        "model": begun.agent,
        **({"usage": None} if counts else {}),
    }

    def chunk(delta: Mapping[str, object], finish: str | None = None) -> ServerSentEvent:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**frame, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    end = await ending(runs, streams, begun.run_id)
    try:
        text = _given(begun.run_id, end)
    except ChatError as error:
        yield _event(error.body.model_dump())
        return
    yield chunk({"content": text})
    yield chunk({}, "stop")
    if counts:
        yield _event({**frame, "choices": [], "usage": _usage(end.usage).model_dump()})
    yield ServerSentEvent(data="[DONE]")


def _event(data: Mapping[str, object]) -> ServerSentEvent:
    return ServerSentEvent(data=msgspec.json.encode(data).decode())


def _usage(used: Usage) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=used.input, completion_tokens=used.output, total_tokens=used.input + used.output
    )
