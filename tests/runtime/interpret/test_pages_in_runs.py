"""A list that a bound has cut does not look like the whole of it to the model."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agentc_runtime.behaviour import Pagination
from agentc_runtime.bundle import Param, ResponseCase
from agentc_runtime.events import ToolReturned
from agentc_runtime.expressions import Ref
from agentc_runtime.workflow import EndState


@pytest.mark.parametrize(
    ("pages", "heard"), [(1, '{"incomplete":"there is more than this","answer":["a"]}'), (2, '["a"]')]
)
async def test_the_model_is_told_that_there_is_more(rig, agent, pages, heard):
    plan = Pagination(style="offset", argument="from", max_pages=pages)
    rig.service.tickets = {"T-1?from=0": ["a"], "T-1?from=1": []}
    rig.provider.script = [{"calls": [("c1", "desk_read", '{"id":"T-1"}')]}, {"text": "ok"}]
    states = {"work": agent(), "done": EndState(output=Ref(path=("states", "work", "output")))}
    tools = rig.program(states).tools
    read = tools["desk.read"]
    request = replace(
        read.request,
        query=(Param(argument="from", name="from"),),
        responses=(ResponseCase(status="200", content_type="application/json"),),
    )
    changed = replace(read, request=request, pagination=plan)
    result = await rig.run(states, tools={**tools, "desk.read": changed})
    assert result.status == "succeeded"
    assert rig.provider.heard("tool") == [heard]
    (returned,) = rig.of(ToolReturned)
    assert (returned.pages, returned.complete) == (pages, pages == 2)
