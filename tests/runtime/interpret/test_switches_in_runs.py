"""What operators disable stops runs that are under way, at the next call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agentc_runtime.calls import ApprovalRequest, Decision
from agentc_runtime.events import ModelFailed, ToolRefused, ToolReturned
from agentc_runtime.expressions import Ref
from agentc_runtime.models import client
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.switching import ControlledSwitches, disable
from agentc_runtime.switches import Switch
from agentc_runtime.workflow import EndState, Retry

READ = ("1", "desk_read", '{"id": "T-1"}')
REPLY = ("2", "desk_reply", '{"text": "hello"}')


@pytest.fixture
def stop(rig: Any, tmp_path: Path) -> Any:
    """`stop(kind, name)` disables something; the rig's runs look at it."""
    (tmp_path / "control").mkdir()
    control = FolderControl(tmp_path / "control")
    rig.switches = ControlledSwitches(control)

    def stop(kind: str, name: str) -> None:
        since = "2026-11-26T08:00:00Z"
        disable(control, Switch(kind=kind, name=name, reason="it leaks", by="ana", since=since))  # type: ignore[arg-type]

    return stop


@pytest.fixture
def states(agent: Any) -> Any:
    return {
        "work": agent(tools=("desk.read", "desk.reply"), models=("main", "spare"), next="done"),
        "done": EndState(output=Ref(path=("states", "work", "output"))),
    }


async def test_a_tool(rig: Any, stop: Any, states: Any) -> None:
    rig.provider.script = [{"calls": [READ]}, {"text": "over"}]
    stop("tool", "desk.read")
    result = await rig.run(states)
    assert result.status == "succeeded"
    (refused,) = rig.of(ToolRefused)
    assert refused.refusal.code == "AR520"
    assert refused.refusal.message == "`desk.read` is disabled by ana: it leaks"
    assert "AR520" in rig.provider.heard("tool")[0]
    assert [record["refusal"]["code"] for record in rig.kept("refused")] == ["AR520"]
    assert rig.kept("claimed") == []


async def test_a_tool_between_two_calls(rig: Any, stop: Any, states: Any) -> None:
    class Stopping(list[Any]):
        def pop(self, index: Any = -1) -> Any:
            if len(self) == 2:
                stop("tool", "desk.read")
            return super().pop(index)

    rig.provider.script = Stopping([{"calls": [READ]}, {"calls": [("3", *READ[1:])]}, {"text": "over"}])
    await rig.run(states)
    assert len(rig.of(ToolReturned)) == 1
    assert [refused.refusal.code for refused in rig.of(ToolRefused)] == ["AR520"]


async def test_a_tool_while_a_person_is_asked(rig: Any, stop: Any, states: Any) -> None:
    """The person agrees, and the call is not made all the same."""

    class Slow:
        async def ask(self, request: ApprovalRequest) -> Decision:
            stop("tool", "desk.reply")
            return Decision(approved=True, by="lea")

    rig.person = Slow()
    rig.provider.script = [{"calls": [REPLY]}, {"text": "over"}]
    await rig.run(states, approval=True)
    assert [refused.refusal.code for refused in rig.of(ToolRefused)] == ["AR520"]
    assert rig.kept("claimed") == []


async def test_a_model_gives_way_to_its_fallback(rig: Any, stop: Any, states: Any) -> None:
    rig.provider.script = [{"text": "from the spare one"}]
    stop("model", "main")
    result = await rig.run(states)
    assert result.output == "from the spare one"
    (failed,) = rig.of(ModelFailed)
    assert failed.message == "model `main` is disabled by ana: it leaks"
    assert [request["model"] for request in rig.provider.requests] == ["model-spare"]


async def test_no_model_is_left(rig: Any, stop: Any, states: Any) -> None:
    stop("model", "main")
    stop("model", "spare")
    result = await rig.run(states)
    assert result.refusal.code == "AR503"
    assert "model `spare` is disabled by ana" in result.refusal.message
    assert rig.provider.requests == []


async def test_an_agent_begins_nothing(rig: Any, stop: Any, states: Any) -> None:
    stop("agent", "triage")
    result = await rig.run(states)
    assert (result.status, result.refusal.code) == ("failed", "AR521")
    assert rig.provider.requests == []


async def test_an_agent_under_way_asks_no_model_more(rig: Any, stop: Any, states: Any) -> None:
    class Stopping(list[Any]):
        def pop(self, index: Any = -1) -> Any:
            stop("agent", "triage")
            return super().pop(index)

    rig.provider.script = Stopping([{"calls": [READ]}, {"text": "over"}])
    result = await rig.run(states)
    assert (result.status, result.refusal.code) == ("failed", "AR521")
    assert [refused.refusal.code for refused in rig.of(ToolRefused)] == ["AR521"]
    assert len(rig.provider.requests) == 1


async def test_approvers(rig: Any, stop: Any, states: Any) -> None:
    rig.provider.script = [{"calls": [REPLY]}, {"text": "over"}]
    stop("approvers", "leads")
    await rig.run(states, approval=True)
    (refused,) = rig.of(ToolRefused)
    assert refused.refusal.code == "AR205"
    assert "`leads` is disabled by ana: it leaks" in refused.refusal.message
    assert rig.kept("claimed") == []


async def test_approvers_who_are_disabled_before_they_answer(rig: Any, stop: Any, states: Any) -> None:
    class Slow:
        async def ask(self, request: ApprovalRequest) -> Decision:
            stop("approvers", "leads")
            return Decision(approved=True, by="lea")

    rig.person = Slow()
    rig.provider.script = [{"calls": [REPLY]}, {"text": "over"}]
    await rig.run(states, approval=True)
    assert [refused.refusal.code for refused in rig.of(ToolRefused)] == ["AR205"]


async def test_switches_that_can_not_be_read(rig: Any, stop: Any, states: Any, tmp_path: Path) -> None:
    stop("tool", "desk.note")
    (tmp_path / "control/switches.json").write_text("?")
    result = await rig.run(states)
    assert (result.status, result.refusal.code) == ("failed", "AR522")


async def test_a_call_that_is_disabled_is_not_sent_again(rig: Any, stop: Any, states: Any) -> None:
    """Between two attempts, while the first one waits for the second."""

    class Stopping(list[Any]):
        def pop(self, index: Any = -1) -> Any:
            stop("tool", "desk.read")
            return super().pop(index)

    rig.provider.script = [{"calls": [READ]}, {"text": "over"}]
    rig.service.failing = Stopping([503, 503, 503])
    tools = rig.program(states).tools
    again = replace(tools["desk.read"], retry=Retry(max_attempts=3, backoff_ms=1))
    await rig.run(states, tools={**tools, "desk.read": again})
    assert list(rig.service.failing) == [503, 503], "one attempt, and no other"
    assert [refused.refusal.code for refused in rig.of(ToolRefused)] == ["AR404"]


async def test_a_model_that_is_disabled_is_not_tried_again(
    rig: Any, stop: Any, states: Any, monkeypatch: Any
) -> None:
    class Stopping(list[Any]):
        def pop(self, index: Any = -1) -> Any:
            if len(self) == 3:
                stop("model", "main")
            return super().pop(index)

    monkeypatch.setattr(client, "BACKOFF", 0.0)
    rig.provider.script = Stopping([503, {"text": "from the spare one"}, {"text": "never"}])
    result = await rig.run(states)
    assert result.output == "from the spare one"
    assert [request["model"] for request in rig.provider.requests] == ["model-main", "model-spare"]
