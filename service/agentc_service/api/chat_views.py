"""Bodies of OpenAI's chat completions and models, as far as agents have a use for them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .parts import SESSION_ID


class Message(BaseModel):
    """What was said. `content` is a text, or parts of which each is one."""

    model_config = ConfigDict(strict=True, extra="allow")

    role: str
    content: str | list[dict[str, JsonValue]] | None = None


class StreamOptions(BaseModel):
    """`include_usage`: the last chunk says how many tokens the run took."""

    model_config = ConfigDict(strict=True)

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A chat with an agent, which is named in `model`. `session` and `session_id` are as for `POST /v1/runs`.

    What tunes a model (`temperature` and the like) changes nothing, and the header `agentc-ignored` lists it;
    what would change an agent's powers or its output is refused.
    """

    model_config = ConfigDict(strict=True, extra="allow")

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=2000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    session: dict[str, JsonValue] | None = None
    session_id: Annotated[str, Field(pattern=SESSION_ID)] | None = None


class CompletionUsage(BaseModel):
    """Tokens of all turns of the run."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answer(BaseModel):
    """What the agent answered."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: Answer
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Completion(BaseModel):
    """The end of a run, whose id follows `chatcmpl-`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage


class Model(BaseModel):
    """An agent. `created` is when the service began."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    """The agents, by name."""

    object: Literal["list"] = "list"
    data: list[Model]
