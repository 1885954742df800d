"""A conversation of one state with its models: turns, fallbacks, and the label of all that was said in it."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable
from typing import Final

import msgspec

from ..bundle import Model, locate
from ..events import ModelAsked, ModelFailed, ModelRetried, ModelText, ModelTurn, OutputChecked
from ..expressions import Schema, Template
from ..labels import Label, allows, join
from ..models.types import (
    AssistantMessage,
    Message,
    ModelError,
    ModelRequest,
    ModelResponse,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
)
from ..once import Once
from ..quoting import shortened
from ..refusals import Refusal, RefusedError
from ..template import RenderError, paths, render
from .answers import Unusable, Usable, read_answer
from .context import Run
from .failures import failure
from .paying import paid

#: How often a state tells its model that an answer can't be used, before it gives up.
MAX_REPAIRS: Final = 2

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it will stand in the conversation, and the calls exactly as the model wrote them.

    `proposed[i]` and `message.calls[i]` are the same call: the latter has an id and a name that every
    provider accepts when it is sent back.
    """

    message: AssistantMessage
    proposed: tuple[ToolCall, ...]
    answer: Usable | Unusable | None


class Conversation:
    """What one attempt of a state says to its models and hears from them.

    `label` covers the data in the templates, and grows with every value that `answer_call` adds.
    """

    def __init__(
        self,
        run: Run,
        state: str,
        *,
        models: tuple[str, ...],
        escalation: tuple[str, ...] = (),
        instructions: Template,
        prompt: Template,
        tools: tuple[ToolDefinition, ...],
        output: Schema | None,
    ) -> None:
        self.label = run.label_of(_read_by(instructions, prompt))
        self._run = run
        self._state = state
        known = run.services.program.models
        self._models = [known[alias] for alias in models]
        larger = (
            (*escalation, *(alias for alias in models if alias not in escalation)) if escalation else models
        )
        self._after_failure = [known[alias] for alias in larger]
        self._instructions = self._written("instructions", instructions)
        self._tools = tools
        self._output = output
        self._repairs = 0
        self._ids: set[str] = set()
        #: Each message with the alias of the model that wrote it: opaque provider data goes back to it alone.
        self._messages: list[tuple[Message, str | None]] = [
            (UserMessage(text=self._written("prompt", prompt)), None)
        ]

    async def turn(self) -> Turn:
        """One model turn: the first model that may see the conversation and answers.

        Raises:
            RefusedError: AR501 over a limit, AR502 stopped by a content filter, AR503 no model answers,
                AR504 no model may see the data, AR301, AR506 or AR508 a model is not set up: to be repaired
                and not to be worked around by a fallback.
        """
        failures: list[str] = []
        permitted = self._permitted()
        for number, model in enumerate(permitted, 1):
            self._run.tally.afford(model)
            begun = time.monotonic()
            try:
                response = await self._complete(model)
            except ModelError as error:
                message = shortened(str(error))
                failures.append(f"`{model.alias}`: {message}")
                following = permitted[number].alias if number < len(permitted) else None
                self._run.services.emit(
                    ModelFailed(
                        state=self._state,
                        model=model.alias,
                        message=message,
                        next=following,
                        status=error.status,
                        seconds=time.monotonic() - begun,
                    )
                )
                continue
            except RefusedError as error:
                raise self._placed(error.refusal, model) from error
            return self._read(model, response)
        raise self._failure("AR503", "; ".join(failures))

    def answer_call(self, call: ToolCall, content: str, label: Label | None) -> None:
        """Add the answer to one call of the last turn, with its label; a refusal has none."""
        refused = label is None
        message = ToolMessage(call_id=call.id, name=call.name, content=_clean(content), refused=refused)
        self._messages.append((message, None))
        if label is not None:
            self.label = join(self.label, label)

    def repair(self, problem: Unusable) -> None:
        """Tell the model, or a larger one, what is wrong. Raises AR502 when told `MAX_REPAIRS` times."""
        if self._repairs == MAX_REPAIRS:
            raise failure(
                self._run.services.source_map,
                "AR502",
                f"{problem.reason} (told {MAX_REPAIRS} times)",
                key=f"state:{self._state}",
                value=problem.value,
                path=problem.path,
            )
        self._repairs += 1
        self._models = self._after_failure
        asked = "" if self._output is None else " with nothing but JSON that satisfies the output schema"
        text = f"Your last answer can't be used: {problem.reason}. Answer again{asked}."
        self._messages.append((UserMessage(text=_clean(text)), None))

    def _permitted(self) -> list[Model]:
        permitted = [model for model in self._models if allows(model.max_sensitivity, self.label)]
        if not permitted:
            bounds = ", ".join(f"`{model.alias}` up to {model.max_sensitivity}" for model in self._models)
            held = self.label.sensitivity
            raise failure(
                self._run.services.source_map,
                "AR504",
                f"state `{self._state}` holds {held} data, and its models may see less: {bounds}",
                key=f"model:{self._models[0].alias}" if self._models else f"state:{self._state}",
                value=held,
            )
        return permitted

    async def _complete(self, model: Model) -> ModelResponse:
        run = self._run
        request = ModelRequest(
            model=model,
            instructions=self._instructions,
            messages=tuple([_for(model, message, author) for message, author in self._messages]),
            tools=self._tools,
            output=self._output,
        )
        begun = time.monotonic()
        services = run.services
        remembered = True

        key = run.key("model")

        def asked() -> Awaitable[ModelResponse]:
            told = ModelAsked(state=self._state, model=model.alias, label=self.label, request=request)
            services.emit(told)
            return services.models.complete(request, self._heard, self._retried)

        def ask() -> Awaitable[ModelResponse]:
            nonlocal remembered
            remembered = False
            return paid(run, key, request, asked) if run.payers else asked()

        response = await services.steps.complete(key, ask)
        cost = run.tally.spend(model, response.usage)
        run.services.emit(
            ModelTurn(
                state=self._state,
                model=model.alias,
                text=_clean(response.message.text),
                calls=len(response.message.calls),
                usage=response.usage,
                cost_usd=None if cost is None else f"{cost:f}",
                seconds=time.monotonic() - begun,
                finish_reason=response.finish_reason,
                response_id=response.response_id,
                response_model=response.response_model,
                first_chunk=response.first_chunk,
                response=response,
                remembered=remembered,
            )
        )
        return response

    def _heard(self, text: str) -> None:
        self._run.services.emit(ModelText(state=self._state, text=_clean(text)))

    def _retried(self, request: ModelRequest, error: ModelError, attempt: int) -> None:
        told = ModelRetried(
            state=self._state, model=request.model.alias, message=shortened(str(error)), attempt=attempt
        )
        self._run.services.emit(told)

    def _read(self, model: Model, response: ModelResponse) -> Turn:
        """Judge the answer and put it into the conversation. A cut-off answer proposes nothing."""
        said = response.message
        if response.finish_reason == "content_filter":
            raise self._failure("AR502", f"the content filter of model `{model.alias}` stopped the answer")
        problem: Unusable | None = None
        if response.finish_reason == "length":
            problem = Unusable(reason=f"it was cut off after {model.max_output_tokens} tokens: be shorter")
        elif said.calls and not self._tools:
            problem = Unusable(reason="it calls tools, and there are none here")
        if problem is not None:
            said = AssistantMessage(text=said.text)
        calls = tuple([self._sendable(call) for call in said.calls])
        message = AssistantMessage(
            text=_clean(said.text),
            calls=calls,
            # it holds the calls as they were: what was changed in them would not be answered
            provider_data=said.provider_data if calls == said.calls else None,
        )
        if message.text.strip() or message.calls:
            self._messages.append((message, model.alias))
        if said.calls:
            return Turn(message=message, proposed=said.calls, answer=None)
        answer = problem or read_answer(message.text, self._output)
        if self._output is not None:
            reason = answer.reason if isinstance(answer, Unusable) else ""
            checked = OutputChecked(state=self._state, model=model.alias, valid=not reason, reason=reason)
            self._run.services.emit(checked)
        return Turn(message=message, proposed=(), answer=answer)

    def _sendable(self, call: ToolCall) -> ToolCall:
        """The call with a new id where its own is empty or taken, and a name that providers take back."""
        number = len(self._ids) + 1
        call_id = call.id
        while not call_id or call_id in self._ids:
            call_id = f"call_{number}"
            number += 1
        self._ids.add(call_id)
        name = _NOT_IN_NAMES.sub("_", call.name)[:64] or "unnamed"
        return ToolCall(id=_clean(call_id), name=name, arguments=_clean(call.arguments))

    def _written(self, part: str, template: Template) -> str:
        try:
            return _clean(render(template, self._run.data))
        except RenderError as error:
            raise self._failure("AR505", f"`{part}` can't be written: {error}") from error

    def _placed(self, refusal: Refusal, model: Model) -> RefusedError:
        services = self._run.services
        is_secret = refusal.code in ("AR506", "AR508")
        key = f"environment:{services.environment}/{refusal.value}" if is_secret else ""
        at = refusal.at or locate(services.source_map, key or f"model:{model.alias}")
        return RefusedError(msgspec.structs.replace(refusal, at=at))

    def _failure(self, code: str, message: str) -> Exception:
        return failure(self._run.services.source_map, code, message, key=f"state:{self._state}")


def _paths(instructions: Template, prompt: Template) -> frozenset[tuple[str, ...]]:
    return paths(instructions) | paths(prompt)


_read_by: Final = Once(_paths)


def _for(model: Model, message: Message, author: str | None) -> Message:
    if isinstance(message, AssistantMessage) and message.provider_data is not None and author != model.alias:
        return AssistantMessage(text=message.text, calls=message.calls)
    return message


def _clean(text: str) -> str:
    """The text with half characters (lone surrogates) replaced, so that it can be stored and sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
