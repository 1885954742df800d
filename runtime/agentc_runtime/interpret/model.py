"""State type `model`: one structured completion without tools."""

from __future__ import annotations

from ..workflow import ModelState
from .answers import Usable
from .context import Run, Step
from .conversation import Conversation


async def run_model(run: Run, name: str, state: ModelState) -> Step:
    """Ask until the answer can be used; the conversation gives up after its repairs.

    Raises:
        RefusedError: AR501, AR502, AR503, AR504, AR505.
    """
    talk = Conversation(
        run,
        name,
        models=state.models,
        escalation=state.escalation,
        instructions=state.instructions,
        prompt=state.prompt,
        tools=(),
        output=state.output,
    )
    while True:
        turn = await talk.turn()
        if isinstance(turn.answer, Usable):
            return Step(next=state.next, output=turn.answer.value, label=talk.label)
        if turn.answer is not None:
            talk.repair(turn.answer)
