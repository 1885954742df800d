"""The model client against a real server that streams three wire formats."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from agentc_runtime.environments import Endpoint, Environment, Secret
from agentc_runtime.models.client import ModelClient, adapter
from agentc_runtime.models.provider_errors import status_error
from agentc_runtime.models.types import AssistantMessage, ModelError, ToolMessage, Usage, UserMessage
from agentc_runtime.refusals import RefusedError
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

PROVIDERS = ("openai", "anthropic", "gemini")
KEY = "sk-test-0123456789"
TURN = {
    "text": "Two tickets are open; I look at both.",
    "calls": [
        {"name": "desk_search", "arguments": {"query": "öpen ticket"}},
        {"name": "desk_search", "arguments": {}},
    ],
    "usage": {"input": 100, "output": 20, "cached_input": 40, "reasoning": 5},
}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_turn_with_text_calls_and_usage(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([TURN])
    heard: list[str] = []
    response = await connect(fake.url).complete(request_for(provider, fake.url), heard.append)
    assert "".join(heard) == response.message.text == TURN["text"]
    assert len(heard) > 1
    assert [json.loads(call.arguments) for call in response.message.calls] == [{"query": "öpen ticket"}, {}]
    assert len({call.id for call in response.message.calls}) == 2
    assert response.finish_reason == "tool_calls"
    assert response.usage == Usage(input=100, output=20, cached_input=40, reasoning=5)
    assert response.response_id
    assert response.response_model == f"fake-{provider}"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_answers_to_calls_go_back_with_what_the_provider_needs(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    thinking = {"text": "I should look at both of them.", "signature": "c2lnbmVk"}
    fake = serve([{**TURN, "thinking": thinking}, {"text": "Done."}])
    client, request = connect(fake.url), request_for(provider, fake.url)
    first = await client.complete(request, lambda _: None)
    answers = tuple(
        ToolMessage(call_id=call.id, name=call.name, content="[]", refused=index == 1)
        for index, call in enumerate(first.message.calls)
    )
    again = request_for(provider, fake.url, messages=(*request.messages, first.message, *answers))
    second = await client.complete(again, lambda _: None)
    assert second.message == AssistantMessage(text="Done.")
    assert second.finish_reason == "stop"
    sent = json.dumps(fake.requests[1].body)
    assert TURN["text"] in sent
    if provider == "anthropic":
        _, said, results = fake.requests[1].body["messages"]
        assert [block["type"] for block in said["content"]] == ["thinking", "text", "tool_use", "tool_use"]
        assert said["content"][0] == {
            "type": "thinking",
            "thinking": thinking["text"],
            "signature": "c2lnbmVk",
        }
        assert [block.get("is_error", False) for block in results["content"]] == [False, True]
    if provider == "gemini":
        _, said, results = fake.requests[1].body["contents"]
        assert [sorted(part) for part in said["parts"]] == [
            ["text", "thought"],
            ["text"],
            ["functionCall", "thoughtSignature"],
            ["functionCall"],
        ]
        assert results["parts"] == [
            {"functionResponse": {"name": "desk_search", "response": {"output": "[]"}}},
            {"functionResponse": {"name": "desk_search", "response": {"error": "[]"}}},
        ]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_turn_that_another_provider_began_can_be_taken_over(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{**TURN, "thinking": {"text": "hm", "signature": "c2ln"}}, {"text": "ok"}] * 3)
    client = connect(fake.url)
    for other in PROVIDERS:
        request = request_for(other, fake.url)
        said = (await client.complete(request, lambda _: None)).message
        answers = [ToolMessage(call_id=call.id, name=call.name, content="[]") for call in said.calls]
        taken = request_for(provider, fake.url, messages=(*request.messages, said, *answers))
        await client.complete(taken, lambda _: None)
        body = json.dumps(fake.requests[-1].body)
        assert body.count("desk_search") >= 3
        if other != provider:
            assert "c2ln" not in body
            assert '"hm"' not in body


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_a_turn_that_was_cut_off_proposes_nothing(
    provider: Any, finish: str, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{**TURN, "finish": finish}])
    response = await connect(fake.url).complete(request_for(provider, fake.url), lambda _: None)
    assert response.finish_reason == finish
    assert response.message.calls == ()
    assert response.message.provider_data is None


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_that_holds_nothing_is_a_response_and_is_not_sent_back(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{}, {"text": "sorry"}])
    client, request = connect(fake.url), request_for(provider, fake.url)
    empty = await client.complete(request, lambda _: None)
    assert empty.message == AssistantMessage()
    told = (*request.messages, empty.message, UserMessage(text="You answered with nothing."))
    await client.complete(request_for(provider, fake.url, messages=told), lambda _: None)
    body = fake.requests[1].body
    roles = [each["role"] for each in body.get("messages", body.get("contents"))]
    assert roles[-2:] == ["user", "user"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_two_hundred_calls_arrive_in_order(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    calls = [{"name": "desk_search", "arguments": {"query": str(n)}} for n in range(200)]
    fake = serve([{"calls": calls}])
    response = await connect(fake.url).complete(request_for(provider, fake.url), lambda _: None)
    assert [json.loads(call.arguments)["query"] for call in response.message.calls] == [
        str(n) for n in range(200)
    ]
    assert len({call.id for call in response.message.calls}) == 200


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_malformed_arguments_reach_the_broker_as_they_are_and_go_back_in_an_object(
    provider: Any, serve: Any, connect: Any, request_for: Any
) -> None:
    raw = '{"query": "a", "query": nope'
    fake = serve([{"calls": [{"name": "desk_search", "arguments": raw}]}, {"text": "ok"}])
    client, request = connect(fake.url), request_for(provider, fake.url)
    said = (await client.complete(request, lambda _: None)).message
    assert said.calls[0].arguments == raw
    refused = ToolMessage(call_id=said.calls[0].id, name="desk_search", content="no", refused=True)
    again = request_for(provider, fake.url, messages=(*request.messages, said, refused))
    await client.complete(again, lambda _: None)
    said_back = fake.requests[1].body["messages"][-2]
    if provider == "anthropic":
        assert said_back["content"][0]["input"] == {"INVALID_JSON": raw}
    else:
        assert said_back["tool_calls"][0]["function"]["arguments"] == raw


async def test_gemini_arguments_keep_duplicate_keys_for_the_broker_to_refuse(
    serve: Any, connect: Any, request_for: Any
) -> None:
    part = '{"functionCall":{"name":"desk_search","args":{"query":"a","query":"b"}}}'
    raw = f'data: {{"candidates":[{{"content":{{"parts":[{part}]}},"finishReason":"STOP"}}]}}\n\n'
    fake = serve([{"raw": raw}])
    response = await connect(fake.url).complete(request_for("gemini", fake.url), lambda _: None)
    assert response.message.calls[0].arguments == '{"query":"a","query":"b"}'


async def test_two_calls_with_one_id_are_two_calls(serve: Any, connect: Any, request_for: Any) -> None:
    """The interpreter gives the second one an id of its own: a model's slip is no reason to fail a run."""
    calls = [{"index": n, "id": "call_1", "function": {"name": "a", "arguments": "{}"}} for n in range(2)]
    choice = {"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}
    fake = serve([{"raw": f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n"}])
    response = await connect(fake.url).complete(request_for("openai", fake.url), lambda _: None)
    assert [call.id for call in response.message.calls] == ["call_1", "call_1"]


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"a": {"type": "string", "minLength": 1}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": {"type": "object"}}}}, False),
        ({**CLOSED, "required": []}, False),
        ({"type": "string"}, False),
        ({**CLOSED, "properties": {"a": True}}, False),
    ],
)
def test_openai_is_asked_to_be_strict_only_where_it_can_be(
    schema: Any, strict: bool, request_for: Any
) -> None:
    request = request_for("openai", "http://x", output=schema)
    body = json.loads(adapter("openai").build(request, "http://x/v1/", None).body)
    assert body["response_format"]["json_schema"] == {"name": "output", "schema": schema, "strict": strict}


# --- errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_passing_errors_are_tried_again_twice(
    provider: Any, status: int, serve: Any, connect: Any, request_for: Any
) -> None:
    error = {"error": {"status": status, "message": "busy"}}
    fake = serve([error, error, {"text": "ok"}])
    waits: list[float] = []
    response = await connect(fake.url, waits).complete(request_for(provider, fake.url), lambda _: None)
    assert response.message.text == "ok"
    assert waits == [0.5, 1.0]


async def test_the_third_error_is_final_and_quotes_the_provider(
    serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{"error": {"status": 529, "message": "over\x1b[31mloaded"}}] * 4)
    with pytest.raises(ModelError, match="529") as caught:
        await connect(fake.url).complete(request_for("openai", fake.url), lambda _: None)
    assert len(fake.requests) == 3
    assert caught.value.retryable
    assert caught.value.status == 529
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_other_errors_are_final_at_once(
    status: int, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{"error": {"status": status, "message": "no such model"}}])
    with pytest.raises(ModelError, match="no such model") as caught:
        await connect(fake.url).complete(request_for("anthropic", fake.url), lambda _: None)
    assert not caught.value.retryable
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("asked", "waited"), [("7", 7.0), ("9999", 30.0), ("soon", 0.5), ("-1", 0.5)])
async def test_retry_after_is_kept_within_reason(
    asked: str, waited: float, serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{"error": {"status": 429, "message": "", "retry_after": asked}}, {"text": "ok"}])
    waits: list[float] = []
    await connect(fake.url, waits).complete(request_for("openai", fake.url), lambda _: None)
    assert waits == [waited]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'[{"error": {"code": 400, "message": "bad field", "status": "INVALID_ARGUMENT"}}]', "bad field"),
        (b'{"error": "model not found"}', "model not found"),
        (b"<h1>Bad\nGateway</h1>", "<h1>Bad Gateway</h1>"),
        (b"\xff\xfe", "\ufffd"),
        (b"", "no body"),
        (b"[]", "no body"),
        (b"[" * 5000, "[[["),
        (b'{"error": {"message": "' + b"x" * 5000 + b'"}}', "x" * 300 + "…"),
    ],
)
def test_what_providers_say_when_they_refuse(body: bytes, told: str) -> None:
    message = str(status_error(400, body))
    assert told in message
    assert len(message) < 400


async def test_a_page_in_place_of_a_stream_is_an_error(serve: Any, connect: Any, request_for: Any) -> None:
    fake = serve([{"raw": "<html>sign in", "type": "text/html"}])
    with pytest.raises(ModelError, match="`text/html`, not with an event stream: <html>sign in"):
        await connect(fake.url).complete(request_for("openai", fake.url), lambda _: None)


@pytest.mark.parametrize("ending", ["stays open", "breaks off"])
async def test_a_whole_answer_counts_however_the_connection_ends(
    ending: str, fake_provider: ModuleType, connect: Any, request_for: Any
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        data = "".join(fake_provider.stream("openai", TURN, 1)).encode()
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await writer.drain()
        if ending == "stays open":
            await reader.read()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        response = await connect(url).complete(request_for("openai", url), lambda _: None)
    assert response.message.text == TURN["text"]


async def test_what_was_shown_is_not_shown_twice(serve: Any, connect: Any, request_for: Any) -> None:
    cut = 'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'
    fake = serve([{"raw": cut}, {"text": "Hello"}])
    heard: list[str] = []
    with pytest.raises(ModelError, match="ended before") as caught:
        await connect(fake.url).complete(request_for("openai", fake.url), heard.append)
    assert heard == ["Hel"]
    assert caught.value.retryable
    assert len(fake.requests) == 1


async def test_the_key_is_in_no_message_even_when_the_provider_repeats_it(
    serve: Any, connect: Any, request_for: Any
) -> None:
    fake = serve([{"error": {"status": 401, "message": f"bad key {KEY}"}}])
    with pytest.raises(ModelError, match="bad key") as caught:
        await connect(fake.url).complete(request_for("openai", fake.url), lambda _: None)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["abc\r\nx-evil: 1", "schlüssel", "a\x00b"])
async def test_a_key_that_would_break_the_header_is_refused(key: str, serve: Any, request_for: Any) -> None:
    fake = serve([{"text": "ok"}])
    environment = Environment(secrets={"key": Secret(env="KEY")}, private_hosts=(fake.url[7:],))
    transport = HttpTransport(environment)
    client = ModelClient(environment, Secrets(environment, {"KEY": key}), transport)
    with pytest.raises(RefusedError, match="AR506") as caught:
        await client.complete(request_for("openai", fake.url), lambda _: None)
    assert key not in str(caught.value)
    assert fake.requests == []
    await transport.close()


async def test_a_missing_key_and_a_missing_url_are_refused(
    serve: Any, connect: Any, model: Any, request_for: Any
) -> None:
    fake = serve([])
    base = model("openai", fake.url)
    for changed, code in (
        ({"secret": "other"}, "AR506"),
        ({"endpoint": Endpoint(variable="MODEL_URL")}, "AR301"),
        ({"endpoint": Endpoint(url="ftp://x")}, "AR301"),
    ):
        request = request_for("openai", fake.url, model=msgspec.structs.replace(base, **changed))
        with pytest.raises(RefusedError, match=code):
            await connect(fake.url).complete(request, lambda _: None)


async def test_a_host_that_is_private_is_a_final_error(
    serve: Any, request_for: Any, secrets: Secrets
) -> None:
    fake = serve([{"text": "ok"}])
    transport = HttpTransport(Environment())
    client = ModelClient(Environment(), secrets, transport)
    with pytest.raises(ModelError, match="AR302") as caught:
        await client.complete(request_for("openai", fake.url), lambda _: None)
    assert not caught.value.retryable
    assert fake.requests == []
    await transport.close()


async def test_a_server_that_is_not_there_is_tried_three_times(connect: Any, request_for: Any) -> None:
    waits: list[float] = []
    with pytest.raises(ModelError, match="AR406") as caught:
        await connect("http://127.0.0.1:9", waits).complete(
            request_for("openai", "http://127.0.0.1:9"), lambda _: None
        )
    assert caught.value.retryable
    assert waits == [0.5, 1.0]


def test_the_fake_provider_runs_as_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "hello"}]))
    path = Path(__file__).parents[2] / "support" / "fake_provider.py"
    with subprocess.Popen(
        [sys.executable, str(path), "--port", "0", "--script", str(script)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", data=b"{}")
        with urllib.request.urlopen(request) as answer:
            assert b"[DONE]" in answer.read()
        process.terminate()
