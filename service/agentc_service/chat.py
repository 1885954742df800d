"""Chats in OpenAI's wire format as runs: messages become a run's input, and what a run gives an answer.

An agent is a function with an input and an output. How a chat becomes its input follows from the input's
schema. It has:

- `messages`, a list: the whole conversation, as `{role, content}`;
- one text, the only property or the only required one: what the user said last;
- anything else: what the user said last, as a JSON object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from agentc_runtime.strictjson import StrictJsonError, parse

#: The property of an input that takes a whole conversation.
CONVERSATION: Final = "messages"
#: Whose words a chat may hold. Instructions are the bundle's, and what tools said is for the runtime to say.
ROLES: Final = ("user", "assistant")
#: What clients send to tune a model. The bundle says how its models are asked, so these change nothing.
TUNING: Final = frozenset({
    "frequency_penalty", "max_completion_tokens", "max_tokens", "metadata", "parallel_tool_calls",
    "presence_penalty", "prompt_cache_key", "reasoning_effort", "safety_identifier", "seed", "service_tier",
    "store", "temperature", "top_p", "user", "verbosity",
})  # fmt: skip

Role: TypeAlias = Literal["user", "assistant"]


@dataclass(frozen=True)
class Said:
    """One message of a chat."""

    role: str
    content: str


class UnfitChatError(ValueError):
    """A chat that can't be the input of the agent. `parameter` is the part of the request that says so."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


def input_of(schema: Mapping[str, object], chat: Sequence[Said]) -> object:
    """The input that the chat is, for an agent with this schema. Whether it fits the schema is not checked.

    Raises:
        UnfitChatError: the last message is not the user's, there are messages that the agent has no place
            for, or it takes an object and the message is none.
    """
    last = len(chat) - 1
    for number, said in enumerate(chat):
        if said.role not in ROLES:
            raise UnfitChatError(
                f"the role `{said.role[:40]}` is not taken: an agent's instructions are in its bundle, and "
                "its tools are called here; send `user` and `assistant`",
                f"messages[{number}].role",
            )
    if not chat or chat[last].role != "user":
        raise UnfitChatError("the last message has to be the user's", f"messages[{max(last, 0)}].role")
    if _takes_conversations(schema):
        return {CONVERSATION: [{"role": said.role, "content": said.content} for said in chat]}
    if last > 0:
        raise UnfitChatError(
            "this agent takes one message and no conversation: its input has no list `messages`", "messages"
        )
    name = _text_property(schema)
    if name is not None:
        return {name: chat[0].content}
    try:
        found = parse(chat[0].content)
    except StrictJsonError:
        found = None
    if not isinstance(found, dict):
        raise UnfitChatError(
            f"this agent takes an object with {_named(schema)}: send it as JSON", "messages[0].content"
        )
    return found


def answer_of(output: object) -> str:
    """What a run gave, as text: a text itself, or the only property of an object; anything else as JSON."""
    if isinstance(output, Mapping) and len(output) == 1:
        (only,) = output.values()
        if isinstance(only, str):
            return only
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


def _properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _required(schema: Mapping[str, object]) -> list[object]:
    found = schema.get("required")
    return list(found) if isinstance(found, Sequence) else []


def _type(schema: object) -> object:
    return schema.get("type") if isinstance(schema, Mapping) else None


def _takes_conversations(schema: Mapping[str, object]) -> bool:
    others = set(_required(schema)) - {CONVERSATION}
    return not others and _type(_properties(schema).get(CONVERSATION)) == "array"


def _text_property(schema: Mapping[str, object]) -> str | None:
    properties, required = _properties(schema), _required(schema)
    names = required if required else list(properties)
    if len(names) != 1:
        return None
    name = str(names[0])
    return name if _type(properties.get(name)) == "string" else None


def _named(schema: Mapping[str, object]) -> str:
    names = [f"`{name}`" for name in _required(schema) or list(_properties(schema))]
    return ", ".join(names) or "any properties"
