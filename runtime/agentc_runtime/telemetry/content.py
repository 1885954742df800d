"""What of a run's content may leave it with telemetry: nothing unless asked for, and never past its label."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..labels import ORDER, Label, Sensitivity, allows
from ..models.types import (
    AssistantMessage,
    Message,
    ModelRequest,
    ModelResponse,
    ToolCall,
    ToolMessage,
)

#: OpenTelemetry's own switch for content. It gets content that is public or internal.
CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
#: Characters of one value. What is longer is cut: a collector drops what is too large without a word.
MAX_VALUE: Final = 16_384

#: What identifies people or opens doors wherever it stands. Each begins with what is rare and repeats within
#: bounds, so that a search takes no longer than the text is long.
_PATTERNS: Final = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,20000}")),
    ("token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("token", re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|ghu|glpat|xox[abps])[-_][A-Za-z0-9_-]{16,}")),
    ("token", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("token", re.compile(r"(?i)\b(?:bearer|basic) [A-Za-z0-9._~+/-]{12,}=*")),
    ("email", re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")),
    ("phone", re.compile(r"\+[0-9](?:[ ()/-]{0,2}[0-9]){7,14}\b")),
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD: Final = re.compile(r"\b[0-9](?:[ -]?[0-9]){12,18}\b")


def _iban(match: re.Match[str]) -> str:
    """ISO 13616: letters count from 10, the first four characters go to the end, and 97 leaves 1."""
    digits = match[0].replace(" ", "")
    number = "".join(str(int(character, 36)) for character in digits[4:] + digits[:4])
    return "[IBAN]" if int(number) % 97 == 1 else match[0]


def _card(match: re.Match[str]) -> str:
    """ISO/IEC 7812: every second digit from the right is doubled, and 10 divides the sum of the digits."""
    digits = [int(character) for character in reversed(match[0]) if character.isdigit()]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return "[card]" if total % 10 == 0 else match[0]


def _unchanged(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Content:
    """Which content telemetry may hold. Without `up_to` none; else up to that sensitivity.

    `redact` takes secrets out. `patterns` are replaced by `[redacted]`, besides the built-in ones.
    """

    up_to: Sensitivity | None = None
    redact: Callable[[str], str] = _unchanged
    patterns: tuple[re.Pattern[str], ...] = ()

    def shows(self, label: Label) -> bool:
        """Whether content with this label may be in telemetry."""
        return self.up_to is not None and allows(self.up_to, label)

    def clean(self, text: str) -> str:
        """`text` without secrets and without what the patterns find, cut to `MAX_VALUE` characters."""
        text = self.redact(text)
        if len(text) > MAX_VALUE:
            text = text[:MAX_VALUE] + "…"
        for name, pattern in _PATTERNS:
            text = pattern.sub(f"[{name}]", text)
        text = _CARD.sub(_card, _IBAN.sub(_iban, text))
        for pattern in self.patterns:
            text = pattern.sub("[redacted]", text)
        return text

    def clean_data(self, value: object) -> object:
        """A JSON value with `clean` applied to each string and key."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self.clean(str(key)): self.clean_data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean_data(item) for item in value]
        return value

    def written(self, value: object) -> str:
        """`clean_data` of a JSON value as JSON text."""
        return json.dumps(self.clean_data(value), ensure_ascii=False)


def captured(environ: Mapping[str, str]) -> Sensitivity | None:
    """What the environment variable of the conventions asks for; `None` for nothing.

    Raises:
        ValueError: it has a value that is neither yes, no, nor a sensitivity.
    """
    said = environ.get(CAPTURE, "").strip().lower()
    if said in ("", "false", "no_content"):
        return None
    if said in ("true", "span_only", "event_only", "span_and_event"):
        return "internal"
    for sensitivity in ORDER:
        if said == sensitivity:
            return sensitivity
    raise ValueError(f"{CAPTURE} is `{said[:40]}`: set it to true, false, or one of {', '.join(ORDER)}")


# --- the shapes that the conventions give to messages ----------------------------------------------------


def input_messages(request: ModelRequest) -> list[dict[str, object]]:
    """The conversation so far."""
    return [_message(message) for message in request.messages]


def output_messages(response: ModelResponse) -> list[dict[str, object]]:
    """The one answer."""
    return [{**_message(response.message), "finish_reason": response.finish_reason}]


def tool_definitions(request: ModelRequest) -> list[dict[str, object]]:
    """The tools that were offered."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in request.tools
    ]


def _message(message: Message) -> dict[str, object]:
    match message:
        case AssistantMessage():
            parts = [_text(message.text)] if message.text else []
            return {"role": "assistant", "parts": [*parts, *map(_call, message.calls)]}
        case ToolMessage():
            part = {"type": "tool_call_response", "id": message.call_id, "response": message.content}
            return {"role": "tool", "parts": [part]}
    return {"role": "user", "parts": [_text(message.text)]}


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "content": text}


def _call(call: ToolCall) -> dict[str, object]:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
