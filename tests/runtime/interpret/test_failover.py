"""A fallback answers at once while a model is left alone, over runs of one process."""

from __future__ import annotations

from msgspec.structs import replace

from agentc_runtime.events import ModelFailed, ModelTurn
from agentc_runtime.expressions import Ref
from agentc_runtime.models import client
from agentc_runtime.models.health import Health
from agentc_runtime.workflow import EndState

END = EndState(output=Ref(path=("states", "work", "output")))


async def test_the_next_run_does_not_wait_for_a_model_that_is_down(rig, agent, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.health = Health()
    states = {"work": replace(agent(), models=("main", "spare")), "done": END}
    answer = rig.provider.handle

    async def handle(method, path, body):
        if b"model-main" in body:
            rig.provider.requests.append({"model": "model-main"})
            return 503, "application/json", b"{}"
        return await answer(method, path, body)

    rig.provider.script = [{"text": "ok"}]
    rig.handlers[0] = handle
    for _ in range(4):
        result = await rig.run(states)
        assert result.status == "succeeded"
    assert [turn.model for turn in rig.of(ModelTurn)] == ["spare"] * 4
    # three tries in the first run, two more open the breaker in the second, and none after that
    asked = [request for request in rig.provider.requests if request["model"] == "model-main"]
    assert len(asked) == 6
    assert "times in a row" in rig.of(ModelFailed)[-1].message
