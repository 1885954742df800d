"""What answers calls and model turns when neither the service nor the provider does."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache

from agentc_runtime.bundle import Program
from agentc_runtime.refusals import Refusal, RefusedError
from agentc_runtime.violations import Validator, compile_predicate
from agentc_runtime.wire import HttpRequest

from ..mock.values import Maker
from ..predicates import match_when
from ..syntax.eval import MockAnswerSpec, MockTurnSpec
from .current import CLAIMED

_ARGUMENT = re.compile(r"\$\{arguments\.([^{}]+)\}")
_TOKEN = b'{"access_token": "mock", "token_type": "bearer", "expires_in": 3600}'

#: Makes up the answer to a request of a tool: status, content type, body.
MakeUp = Callable[[str, HttpRequest], tuple[int, str | None, bytes]]


class MockError(Exception):
    """A case that does not say what the mock should answer: one line that says what to add."""


class Answer:
    """An answer that is there whole."""

    def __init__(self, status: int, content_type: str | None, body: bytes) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {} if content_type is None else {"content-type": content_type}
        self._body = body
        self.size = len(body)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in one piece."""
        yield self._body


class MockTools:
    """Answers the calls of one run: the entries in order, then whatever `make_up` gives."""

    def __init__(
        self, program: Program, answers: Sequence[MockAnswerSpec], make_up: MakeUp, seed: int
    ) -> None:
        self._program = program
        self._seed = seed
        self._answers = answers
        self._make_up = make_up
        self._given: Counter[int] = Counter()

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[Answer]:
        """Answer. See `wire.Transport`."""
        claimed = CLAIMED.get()
        if request.private or claimed is None:
            yield Answer(200, "application/json", _TOKEN)
            return
        tool, arguments = claimed
        for index, entry in enumerate(self._answers):
            used_up = entry.times is not None and self._given[index] >= entry.times
            if entry.tool == tool and not used_up and fits(entry.arguments, arguments):
                self._given[index] += 1
                answer = self._answer(tool, entry, arguments)
                if answer.size > request.max_response_bytes:
                    said = f"answer is larger than {request.max_response_bytes} bytes"
                    raise RefusedError(Refusal(code="AR401", message=said, value=request.max_response_bytes))
                yield answer
                return
        yield Answer(*self._make_up(tool, request))

    async def close(self) -> None:
        """Nothing is open."""

    def _answer(self, tool: str, entry: MockAnswerSpec, arguments: Mapping[str, object]) -> Answer:
        if entry.fails == "timeout":
            raise RefusedError(Refusal(code="AR405", message="the service did not answer in time"))
        if entry.fails == "broken_off":
            raise RefusedError(Refusal(code="AR406", message="the connection broke off"))
        cases = sorted(self._program.tools[tool].request.responses, key=lambda case: case.status)
        good = next((case for case in cases if case.status.startswith("2")), None)
        status = entry.status
        if status is None:
            status = int(good.status) if good is not None and good.status.isdigit() else 200
        said = next((case for case in cases if case.status == str(status)), good)
        kind = "application/json" if said is None else said.content_type
        if entry.text is not None:
            return Answer(status, kind or "text/plain", entry.text.encode())
        if entry.body is None and (kind is None or said is None or said.content_type is None):
            return Answer(status, None, b"")
        body = _filled(entry.body, arguments)
        if entry.complete and said is not None and said.schema is not None:
            body = _laid_over(body, Maker(said.schema, f"{self._seed}{tool}").value(said.schema))
        return Answer(status, kind, json.dumps(body, ensure_ascii=False).encode())


def _filled(body: object, arguments: Mapping[str, object]) -> object:
    """A body with the arguments that it refers to.

    Raises:
        MockError: the call has no such argument.
    """
    if isinstance(body, dict):
        return {key: _filled(item, arguments) for key, item in body.items()}
    if isinstance(body, list):
        return [_filled(item, arguments) for item in body]
    named = _ARGUMENT.fullmatch(body) if isinstance(body, str) else None
    if named is None:
        return body
    if named[1] not in arguments:
        raise MockError(f"a mocked answer refers to `{body}`, and the call has no such argument")
    return arguments[named[1]]


def _laid_over(body: object, made: object) -> object:
    """A body with what it lacks of a made-up one; each item of a list is laid over the first."""
    if isinstance(body, dict) and isinstance(made, dict):
        return {**made, **{key: _laid_over(item, made.get(key)) for key, item in body.items()}}
    if isinstance(body, list) and isinstance(made, list) and made:
        return [_laid_over(item, made[0]) for item in body]
    return made if body is None else body


def fits(limits: Mapping[str, Mapping[str, object]], arguments: Mapping[str, object]) -> bool:
    """Whether the arguments are there and satisfy their schemas."""
    return all(
        name in arguments and _validator(json.dumps(schema, sort_keys=True)).is_valid(arguments[name])
        for name, schema in limits.items()
    )


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Validator:
    return compile_predicate(match_when(json.loads(schema)))


def _made_up(request: HttpRequest) -> MockTurnSpec:
    """An answer that fits the schema which a request in the format of OpenAI asks for."""
    form = json.loads(request.body or b"{}").get("response_format", {})
    schema = form.get("json_schema", {}).get("schema")
    if schema is None:
        return MockTurnSpec(text="Made up.")
    return MockTurnSpec(text=json.dumps(Maker(schema, "model").value(schema), ensure_ascii=False))


class MockModel:
    """Answers the model turns of one run with those of its case, in the wire format of OpenAI."""

    replays = True

    def __init__(self, program: Program, turns: Sequence[MockTurnSpec]) -> None:
        self._names = {name: tool.model_name for name, tool in program.tools.items()}
        self._turns = turns
        self._asked = 0

    @asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncIterator[Answer]:
        """Answer with the next turn.

        Raises:
            MockError: the case has no more turns.
        """
        self._asked += 1
        last = self._turns[min(self._asked, len(self._turns)) - 1] if self._turns else None
        if last is not None and last.made_up:
            yield Answer(200, "text/event-stream", self._stream(_made_up(request)))
            return
        if self._asked > len(self._turns):
            raise MockError(
                f"the case has {len(self._turns)} `turns`, and the model is asked {self._asked} times"
            )
        turn = self._turns[self._asked - 1]
        if turn.status is not None:
            yield Answer(turn.status, "application/json", b'{"error": {"message": "mocked failure"}}')
            return
        yield Answer(200, "text/event-stream", self._stream(turn))

    async def close(self) -> None:
        """Nothing is open."""

    def _stream(self, turn: MockTurnSpec) -> bytes:
        text = turn.text
        if turn.output is not None:
            text = json.dumps(turn.output, ensure_ascii=False)
        calls = [
            {
                "index": index,
                "id": f"call_{self._asked}_{index}",
                "type": "function",
                "function": {
                    "name": self._names.get(call.tool, call.tool),
                    "arguments": call.arguments
                    if isinstance(call.arguments, str)
                    else json.dumps(call.arguments, ensure_ascii=False),
                },
            }
            for index, call in enumerate(turn.calls)
        ]
        delta = {"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {})}
        head = {"id": f"mock-{self._asked}", "object": "chat.completion.chunk", "created": 0, "model": "mock"}
        finish = "tool_calls" if calls else "stop"
        written = len(text) + sum(len(str(call)) for call in calls)
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 1 + written // 4,
            "total_tokens": 101 + written // 4,
        }
        events = (
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
            {**head, "choices": [], "usage": usage},
        )
        said = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return f"{said}data: [DONE]\n\n".encode()
