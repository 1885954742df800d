"""The arm that a channel chose stands on the trace, the log records and every measurement of a run."""

from __future__ import annotations

from agentc_runtime.events import Placement
from agentc_runtime.expressions import Ref
from agentc_runtime.workflow import EndState

END = EndState(output=Ref(path=("states", "work", "output")))
READS = {"calls": [("c1", "desk_read", '{"id":"T-1"}')]}
ARM = {"agentc.release.channel": "production", "agentc.release.arm": "canary"}


async def test_the_arm_stands_on_all_of_it(rig, agent, seen):
    rig.placement = Placement(channel="production", sequence=7, arm="canary")
    rig.provider.script = [READS, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    root = seen.spans[0]
    assert ARM.items() <= dict(root.attributes or {}).items()
    assert (root.attributes or {})["agentc.release.sequence"] == 7
    for name in (
        "agentc.run.duration",
        "agentc.run.costs",
        "agentc.tool.calls",
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
    ):
        points = seen.points(name)
        assert points
        assert all(ARM.items() <= attributes.items() for attributes, _ in points), name
    begun = seen.logs_to.get_finished_logs()[0].log_record
    assert ARM.items() <= dict(begun.attributes or {}).items()


async def test_a_run_that_no_channel_chose_has_none(rig, agent, seen):
    rig.provider.script = [{"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    assert "agentc.release" not in seen.everything()
