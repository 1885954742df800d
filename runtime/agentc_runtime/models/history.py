"""What every adapter does with a conversation before it is written in a provider's words."""

from __future__ import annotations

import msgspec

from .types import AssistantMessage, Message, ToolCall


def spoken(messages: tuple[Message, ...]) -> list[Message]:
    """The messages without answers that hold nothing: no provider takes an empty one back."""
    return [
        message
        for message in messages
        if not isinstance(message, AssistantMessage) or message.text or message.calls or message.provider_data
    ]


def arguments_object(call: ToolCall) -> dict[str, object]:
    """A call's arguments for providers that take them back as an object only.

    Text that is no JSON object goes back inside one, as what it was, so that the model sees its mistake.
    Only the broker decides on arguments; this is history.
    """
    try:
        value: object = msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"INVALID_JSON": call.arguments}
    return value if isinstance(value, dict) else {"INVALID_JSON": call.arguments}
