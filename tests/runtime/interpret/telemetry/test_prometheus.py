"""What Prometheus fetches: every instrument under the name that dashboards and alerts use."""

from __future__ import annotations

import httpx
import pytest
from msgspec.structs import replace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.parser import text_string_to_metric_families

from agentc_runtime.bundle import Approval
from agentc_runtime.expressions import Ref, Text
from agentc_runtime.telemetry import names
from agentc_runtime.telemetry.observing import Telemetry
from agentc_runtime.telemetry.prometheus import Exposition
from agentc_runtime.workflow import EndState, ModelState, Retry

END = EndState(output=Ref(path=("states", "judge", "output")))
JUDGE = ModelState(
    instructions=(Text(text="Judge."),),
    prompt=(Text(text="Is it urgent?"),),
    models=("main",),
    next="done",
    output={"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]},
)


@pytest.fixture
def exposition(rig, seen):
    exposition = Exposition()
    telemetry = Telemetry(TracerProvider(), MeterProvider([exposition.reader]))
    telemetry.evaluated("golden", "triage", "1.0.0", "test", 0.9)
    rig.watch = lambda program: telemetry.observer(program, "test")
    return exposition


async def busy(rig, agent):
    """A run in which everything happens that is measured."""
    rig.provider.script = [
        {"calls": [("c1", "desk_note", '{"id":"T-1"}'), ("c2", "desk_reply", '{"text":"hi"}')]},
        {"text": "one"},
        {"text": "two"},
        {"text": '{"urgent": true}'},
    ]
    rig.service.failing = [503]
    states = {"work": replace(agent(), next="judge"), "judge": JUDGE, "done": END}
    program = rig.program(states, approval=Approval(by=("leads",)))
    again = replace(program.tools["desk.note"], retry=Retry(max_attempts=2, backoff_ms=1))
    tools = {**program.tools, "desk.note": again}
    await rig.run(states, tools=tools, approval=Approval(by=("leads",)))


def families(page: bytes) -> dict[str, set[str]]:
    """Metric name in the text → the labels of its samples."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_every_instrument_is_exposed_under_its_name(rig, agent, exposition):
    await busy(rig, agent)
    rig.provider.script = [{"calls": [("c3", "desk_nothing", "{}")]}, {"text": "ok"}]
    await rig.run({"judge": agent(), "done": END})
    # one instrument needs two pieces of text in one turn, which this provider does not send
    alone = names.OUTPUT_CHUNK
    found = families(exposition.page().body)
    for metric in names.METRICS:
        if metric is alone:
            continue
        suffixes = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        for suffix in suffixes:
            assert metric.exposed + suffix in found, metric.name
    assert names.label(names.AGENT_NAME) in found[names.TOOL_CALLS.exposed]
    assert names.label(names.OUTCOME) in found[names.TOOL_CALLS.exposed]
    lines = exposition.page().body.decode().splitlines()
    checks = [line for line in lines if line.startswith(names.OUTPUT_CHECKS.exposed)]
    assert [line.partition('agentc_output_valid="')[2].partition('"')[0] for line in checks] == [
        "false",
        "true",
    ]


async def test_the_page_over_http(rig, agent, exposition):
    await busy(rig, agent)
    transport = httpx.ASGITransport(app=exposition.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get("/metrics")
        newer = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.status_code == 200
    assert answer.content == exposition.page().body
    assert answer.headers["content-type"] == exposition.page().content_type
    assert newer.text.endswith("# EOF\n")


async def test_approvals_that_wait_elsewhere_are_counted_where_that_is_known(rig, agent):
    exposition = Exposition()
    told = {names.AGENT_NAME: "triage"}
    telemetry = Telemetry(TracerProvider(), MeterProvider([exposition.reader]), waiting=lambda: [(7, told)])
    rig.watch = lambda program: telemetry.observer(program, "test")
    await busy(rig, agent)
    lines = exposition.page().body.decode().splitlines()
    (line,) = [line for line in lines if line.startswith("agentc_approvals_waiting{")]
    assert line == 'agentc_approvals_waiting{gen_ai_agent_name="triage"} 7.0'
