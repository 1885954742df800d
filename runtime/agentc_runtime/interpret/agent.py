"""State type `agent`: a model proposes calls, the broker decides each, until there is an answer."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from ..bundle import Program
from ..calls import Returned
from ..models.types import ToolCall, ToolDefinition
from ..once import Once
from ..refusals import Refusal
from ..workflow import AgentState
from .answers import Usable
from .calling import carry_out, propose, refuse
from .context import Run, Step
from .conversation import Conversation, Turn
from .failures import failure


async def run_agent(run: Run, name: str, state: AgentState) -> Step:
    """Run the loop. A refused call is told to the model and never fails the state.

    Raises:
        RefusedError: AR501 turns or another limit, AR502, AR503, AR504, AR505.
    """
    program = run.services.program
    talk = Conversation(
        run,
        name,
        models=state.models,
        escalation=state.escalation,
        instructions=state.instructions,
        prompt=state.prompt,
        tools=_definitions_of(program, state),
        output=state.output,
    )
    for number in range(1, state.turns + 1):
        turn = await talk.turn()
        if isinstance(turn.answer, Usable):
            return Step(next=state.next, output=turn.answer.value, label=talk.label)
        if number == state.turns:
            break
        if turn.answer is not None:
            talk.repair(turn.answer)
        else:
            await _call_all(run, name, talk, turn)
    raise failure(
        run.services.source_map,
        "AR501",
        f"limit `turns` of {state.turns} in state `{name}` is used up, and there is no answer yet",
        key=f"state:{name}",
        value=state.turns,
    )


def definitions(program: Program, state: AgentState) -> tuple[ToolDefinition, ...]:
    """The state's tools as its model sees them: without bound arguments, and only those that are granted."""
    return tuple(
        ToolDefinition(
            name=program.tools[tool].model_name,
            description=program.tools[tool].description,
            parameters=program.grants[tool].schema,
        )
        for tool in state.tools
        if tool in program.grants
    )


_definitions_of: Final = Once(definitions)


async def _call_all(run: Run, name: str, talk: Conversation, turn: Turn) -> None:
    """Carry out a turn's calls in their order; those over `limits.calls_per_turn` are refused unread.

    All of them have the label of what the model had read when it proposed them: answers that it has not seen
    can't have moved it.
    """
    limit = run.services.program.limits.calls_per_turn
    label = talk.label
    for index, (proposed, sent) in enumerate(zip(turn.proposed, turn.message.calls, strict=True)):
        call = propose(run, name, proposed.name, proposed.arguments, label)
        if index < limit:
            outcome = await carry_out(run, call)
        else:
            message = f"one turn may carry out {limit} calls, and this is call {index + 1}"
            outcome = await refuse(run, call, "AR107", message, key="limits/calls_per_turn", value=index + 1)
        _tell(talk, sent, outcome)


def _tell(talk: Conversation, sent: ToolCall, outcome: Returned | Refusal) -> None:
    """Put the outcome into the conversation. A refusal holds no text from outside, so it has no label."""
    match outcome:
        case Returned(value=value, label=label, complete=True):
            talk.answer_call(sent, msgspec.json.encode(value).decode(), label)
        case Returned(value=value, label=label):
            # cut off without a word, a list would look like the whole of it
            told = {"incomplete": "there is more than this", "answer": value}
            talk.answer_call(sent, msgspec.json.encode(told).decode(), label)
        case Refusal():
            talk.answer_call(sent, _json(outcome.as_data()), None)


_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
