"""What goes back to which model: a provider's own data to the model that gave it, and to no other."""

from __future__ import annotations

import pytest

from agentc_runtime.broker import Broker
from agentc_runtime.expressions import Text
from agentc_runtime.interpret.context import Run, Services
from agentc_runtime.interpret.conversation import Conversation
from agentc_runtime.labels import Label
from agentc_runtime.models.types import (
    AssistantMessage,
    ModelError,
    ModelRequest,
    ModelResponse,
    ToolCall,
    ToolDefinition,
    Usage,
)
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

TOOL = ToolDefinition(name="desk_read", description="", parameters={})
DATA: dict[str, object] = {"thinking": "hm"}


class Scripted:
    """A client whose models answer what is written for them; a model without a line fails."""

    def __init__(self, lines: list[dict[str, AssistantMessage]]) -> None:
        self.lines = lines
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest, *_: object) -> ModelResponse:
        line = self.lines[0]
        if request.model.alias not in line:
            raise ModelError("down")
        self.requests.append(request)
        self.lines.pop(0)
        return ModelResponse(
            message=line[request.model.alias], finish_reason="tool_calls", usage=Usage(input=1, output=1)
        )


@pytest.fixture
def begin(rig, agent):
    async def begin(lines: list[dict[str, AssistantMessage]]) -> tuple[Conversation, Scripted]:
        program = rig.program({"work": agent()})
        place = program.environments["test"]
        secrets, client = Secrets(place, {}), Scripted(lines)
        services = Services(
            program=program,
            source_map={},
            environment="test",
            broker=Broker(program, {}, "test", HttpTransport(place), rig.journal, secrets, rig.person),
            models=client,
            journal=rig.journal,
            secrets=secrets,
            emit=rig.events.append,
        )
        run = Run("r", services, input={"id": "T-1"}, session={})
        talk = Conversation(
            run,
            "work",
            models=("main", "spare"),
            instructions=(Text(text="i"),),
            prompt=(Text(text="p"),),
            tools=(TOOL,),
            output=None,
        )
        return talk, client

    return begin


def said(call_id: str, name: str = "desk_read") -> AssistantMessage:
    return AssistantMessage(
        calls=(ToolCall(id=call_id, name=name, arguments="{}"),), provider_data=dict(DATA)
    )


async def turn_over(talk: Conversation) -> None:
    turn = await talk.turn()
    for call in turn.message.calls:
        talk.answer_call(call, "{}", Label(trust="trusted", sensitivity="public"))


async def test_provider_data_goes_back_to_the_model_that_gave_it_and_to_no_other(begin):
    talk, client = await begin([{"main": said("a")}, {"spare": said("b")}, {"main": said("c")}])
    for _ in range(3):
        await turn_over(talk)
    asked = [
        (request.model.alias, [m.provider_data for m in request.messages if isinstance(m, AssistantMessage)])
        for request in client.requests
    ]
    assert asked == [("main", []), ("spare", [None]), ("main", [DATA, None])]


@pytest.mark.parametrize(("call_id", "name"), [("", "desk_read"), ("a", "no such tool")])
async def test_provider_data_that_no_longer_fits_the_calls_is_left_out(begin, call_id, name):
    talk, client = await begin([{"main": said(call_id, name)}, {"main": said("c")}])
    await turn_over(talk)
    await turn_over(talk)
    (echoed,) = [m for m in client.requests[1].messages if isinstance(m, AssistantMessage)]
    assert echoed.provider_data is None
    assert echoed.calls[0].id
