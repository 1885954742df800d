"""Trace context on the wire: it goes where the call goes, and changes nothing else about it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import msgspec
from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agentc_runtime.expressions import Ref
from agentc_runtime.telemetry.propagation import TracedTransport
from agentc_runtime.wire import HttpRequest
from agentc_runtime.workflow import EndState

END = EndState(output=Ref(path=("states", "work", "output")))
READS = {"calls": [("c1", "desk_read", '{"id":"T-1"}')]}
REQUEST = HttpRequest(
    method="POST",
    url="http://127.0.0.1:1/refunds",
    headers={"idempotency-key": "k"},
    body=b"{}",
    origin="http://127.0.0.1:1",
    timeout_ms=1000,
    max_response_bytes=1000,
)


class Wire:
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[HttpRequest] = []

    @asynccontextmanager
    async def send(self, request: HttpRequest):
        self.sent.append(request)
        yield None

    async def close(self) -> None:
        """Nothing is open."""


async def sent(request: HttpRequest, *, inside: bool = True) -> HttpRequest:
    wire = Wire()
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("call") if inside else trace.use_span(trace.INVALID_SPAN):
        async with TracedTransport(wire).send(request):
            pass
    return wire.sent[0]


async def test_the_context_is_added_and_nothing_else_is_changed():
    request = await sent(REQUEST)
    assert request.headers["traceparent"].startswith("00-")
    assert msgspec.structs.replace(request, headers=REQUEST.headers) == REQUEST
    assert {**request.headers, "traceparent": ""} == {**REQUEST.headers, "traceparent": ""}


async def test_what_a_request_says_itself_stays():
    for header in ("traceparent", "tracestate"):
        request = replace(REQUEST, headers={header: "the plan's"})
        assert await sent(request) == request


async def test_requests_for_credentials_and_requests_outside_of_spans_have_none():
    private = replace(REQUEST, private=True)
    assert await sent(private) == private
    assert await sent(REQUEST, inside=False) == REQUEST


async def test_no_baggage_is_passed_on():
    from opentelemetry import baggage, context

    token = context.attach(baggage.set_baggage("customer", "C-17"))
    try:
        assert "baggage" not in (await sent(REQUEST)).headers
    finally:
        context.detach(token)


async def test_each_call_has_the_span_of_its_own(rig, agent, seen):
    heads: list[dict[str, str]] = []

    class Noted(TracedTransport):
        def send(self, request):
            heads.append(dict(request.headers))
            return self._inner.send(request)

    rig.wrap = lambda transport: TracedTransport(Noted(transport))
    rig.provider.script = [{"calls": [*READS["calls"], ("c2", "desk_note", '{"id":"T-1"}')]}, {"text": "ok"}]
    await rig.run({"work": agent(), "done": END})
    spans = [span for span in seen.spans if span.name.startswith("execute_tool")]
    assert [head["traceparent"] for head in heads] == [
        f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
        for span in spans
    ]
