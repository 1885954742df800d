"""Traces, metrics and logs from a real run to a collector on loopback, over OTLP and HTTP."""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Collector:
    """What arrived, as the standard's own messages read it."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.url = f"http://127.0.0.1:{service.port}"

    def messages(self, path: str) -> list[Any]:
        kind = MESSAGES[path]
        return [kind.FromString(asked.body) for asked in self.service.to(path)]

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for message in self.messages("/v1/traces")
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> list[str]:
        return [
            metric.name
            for message in self.messages("/v1/metrics")
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    @property
    def logs(self) -> list[Any]:
        return [
            record
            for message in self.messages("/v1/logs")
            for resource in message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def text(self) -> str:
        return "".join(str(message) for path in MESSAGES for message in self.messages(path))


@pytest.fixture
def collector(live_service: Any) -> Any:
    with live_service.Service(
        lambda _: live_service.Answer(b"", headers={"content-type": "application/x-protobuf"})
    ) as service:
        yield Collector(service)


def keyed(desk: Any, *turns: Any, **changes: Any) -> None:
    """A desk that wants a key, whose run ends well."""
    desk.answers["refunds"] = lambda _: desk.services.Answer({"id": "R-1"})
    api = desk.document({"key": {"type": "apiKey", "in": "header", "name": "x-key"}}, [{"key": []}])
    desk.write(
        api,
        *turns,
        auth={"scheme": "key", "secret": "desk_key"},
        environment={"secrets": {"desk_key": {"env": "DESK_KEY"}}},
        **changes,
    )


KEY = {"DESK_KEY": "desk-key-0123456789"}


def test_a_run_arrives_at_a_collector_and_its_calls_carry_their_spans(desk: Any, collector: Any) -> None:
    keyed(desk, desk.reads, desk.done, tool={"idempotency": {"header": "Idempotency-Key"}})
    desk.run("--no-store", **KEY, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    spans = {span.name: span for span in collector.spans}
    assert sorted(spans) == ["chat fake", "execute_tool desk.get_ticket", "invoke_agent triage"]
    (asked,) = desk.service.to("/tickets")
    call = spans["execute_tool desk.get_ticket"]
    assert asked.headers["traceparent"].split("-")[1:3] == [call.trace_id.hex(), call.span_id.hex()]
    assert "baggage" not in asked.headers
    # the provider of the model is told nothing of the trace
    assert all("traceparent" not in request.headers for request in desk.model.requests)
    assert {"gen_ai.client.token.usage", "agentc.run.duration", "agentc.tool.calls"} <= set(collector.metrics)
    assert [record.event_name for record in collector.logs][-1] == "agentc.run.ended"
    assert {record.trace_id for record in collector.logs} == {call.trace_id}
    (resource,) = {
        attribute.value.string_value
        for message in collector.messages("/v1/traces")
        for attribute in message.resource_spans[0].resource.attributes
        if attribute.key == "service.name"
    }
    assert resource == "triage"


def test_no_content_and_no_secret_arrives(desk: Any, collector: Any) -> None:
    keyed(desk, {"text": "I look at it", **desk.reads}, {"text": "It is broken."})
    desk.run("--no-store", **KEY, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    text = collector.text()
    assert len(text) > 1000
    for content in ("It broke", "I look at it", "It is broken", KEY["DESK_KEY"], desk.model_key, "T-1"):
        assert content not in text


def test_content_is_captured_when_it_is_asked_for_without_secrets(desk: Any, collector: Any) -> None:
    desk.ticket = {"id": "T-1", "subject": f"my key is {KEY['DESK_KEY']}"}
    keyed(desk, {"text": "I look at it", **desk.reads}, {"text": "It is broken."})
    desk.run(
        "--no-store", "--capture-content", "restricted", **KEY, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url
    )
    text = collector.text()
    assert "It is broken." in text
    assert "my key is [secret desk_key]" in text
    assert KEY["DESK_KEY"] not in text


def test_a_run_joins_the_trace_of_whoever_starts_it(desk: Any, collector: Any) -> None:
    keyed(desk)
    desk.run(
        "--no-store",
        **KEY,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        TRACEPARENT=f"00-{'a' * 32}-{'b' * 16}-01",
    )
    assert {span.trace_id.hex() for span in collector.spans} == {"a" * 32}


def test_a_collector_that_is_not_there_fails_no_run(desk: Any) -> None:
    keyed(desk)
    done = desk.run(
        "--no-store",
        **KEY,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )
    assert json.loads(done.out) == "Done."


OTHERS = ("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_prometheus_fetches_what_is_measured_while_a_run_goes_on(desk: Any) -> None:
    keyed(desk)
    port = free_port()
    pages: list[str] = []

    def answer(_: Any) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            pages.append(page.read().decode())
        return desk.services.Answer(desk.ticket)

    desk.answers["tickets"] = answer
    only = {"OTEL_METRICS_EXPORTER": "prometheus", **dict.fromkeys(OTHERS, "none")}
    where = {"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)}
    desk.run("--no-store", **KEY, **only, **where)
    (page,) = pages
    assert 'agentc_runs_active{deployment_environment_name="local",gen_ai_agent_name="triage"' in page
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "http"},
            "OTEL_EXPORTER_PROMETHEUS_PORT is `http`, which is no port",
        ),
        (
            {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST": "192.0.2.1"},
            "OTEL_EXPORTER_PROMETHEUS_PORT: 192.0.2.1:9464 can't be listened at: ",
        ),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is `zipkin`, and there is `otlp`"),
        (
            {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`, and there is `http/protobuf`",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "some"},
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is `some`: set it to true, false",
        ),
    ],
)
def test_variables_that_ask_for_what_is_not_there(desk: Any, variables: dict[str, str], said: str) -> None:
    keyed(desk)
    done = desk.run("--no-store", code=2, **KEY, **variables)
    assert said in done.err
    assert desk.service.asked == []


def test_without_the_packages(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed(desk)
    for name in [name for name in sys.modules if name.startswith("agentc_runtime.telemetry.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("agentc_runtime.telemetry.observing", "agentc_runtime.telemetry.setup"):
        monkeypatch.delattr(f"agentc_runtime.telemetry.{name.rpartition('.')[2]}", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    done = desk.run("--no-store", "--otel", code=2, **KEY)
    assert "OpenTelemetry is not installed: pip install 'agentc[otel]'" in done.err
    # a variable may be meant for another program
    done = desk.run("--no-store", **KEY, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.err.startswith("warning: OpenTelemetry is not installed")
    assert json.loads(done.out) == "Done."


def test_log_records_in_place_of_the_transcript(desk: Any) -> None:
    keyed(desk)
    done = desk.run("--no-store", "--log-format", "json", **KEY)
    records = [json.loads(line) for line in done.err.splitlines()]
    assert [record["event_name"] for record in records] == [
        "agentc.run.started",
        "agentc.state.entered",
        "agentc.model.asked",
        "agentc.model.answered",
        "agentc.tool.called",
        "agentc.tool.returned",
        "agentc.model.asked",
        "agentc.model.answered",
        "agentc.state.ended",
        "agentc.state.entered",
        "agentc.state.ended",
        "agentc.run.ended",
    ]
    assert all("trace_id" not in record for record in records)
    assert {record["resource"]["service.name"] for record in records} == {"triage"}
    assert "It broke" not in done.err
    assert json.loads(done.out) == "Done."


def test_log_records_name_the_trace_and_may_hold_content(desk: Any, collector: Any) -> None:
    desk.ticket = {"id": "T-1", "subject": "ask ann@example.com"}
    keyed(desk)
    done = desk.run(
        *("--no-store", "--log-format", "json", "--capture-content", "restricted"),
        **KEY,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
    )
    records = [json.loads(line) for line in done.err.splitlines()]
    spans = {span.span_id.hex(): span.name for span in collector.spans}
    returned = next(record for record in records if record["event_name"] == "agentc.tool.returned")
    assert spans[returned["span_id"]] == "execute_tool desk.get_ticket"
    assert json.loads(returned["attributes"]["gen_ai.tool.call.result"])["subject"] == "ask [email]"


@pytest.mark.parametrize(
    ("variables", "paid"),
    [
        ({}, set()),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, set()),
        ({"OTEL_TRACES_EXPORTER": "none"}, set()),
        (
            {
                "OTEL_TRACES_EXPORTER": "console",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
            },
            {"opentelemetry"},
        ),
    ],
)
def test_who_asks_for_nothing_pays_for_nothing(
    agentc: Any, support: Any, ticket: Any, variables: dict[str, str], paid: set[str]
) -> None:
    environment = {"PYTHONPROFILEIMPORTTIME": "1", **variables}
    done = agentc("run", support, *ticket("T-1002"), "--no-store", environment=environment)
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "httptools" in imported
    assert imported & {"opentelemetry", "prometheus_client"} == paid


def test_a_durable_run_is_watched_like_any_other(desk: Any, collector: Any) -> None:
    keyed(desk)
    store = desk.folder / "runs.db"
    desk.run("--durable", "--store", store, **KEY, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    spans = {span.name: span for span in collector.spans}
    assert sorted(spans) == ["chat fake", "execute_tool desk.get_ticket", "invoke_agent triage"]
    (asked,) = desk.service.to("/tickets")
    call = spans["execute_tool desk.get_ticket"]
    assert asked.headers["traceparent"].split("-")[1:3] == [call.trace_id.hex(), call.span_id.hex()]
    assert call.parent_span_id == spans["invoke_agent triage"].span_id
