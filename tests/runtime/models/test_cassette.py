"""Record a run over the network, replay it without one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentc_runtime.cassette import Cassette, RecordingTransport, ReplayTransport
from agentc_runtime.environments import Environment, Secret
from agentc_runtime.models.client import ModelClient
from agentc_runtime.models.types import ModelError, UserMessage
from agentc_runtime.recorded import CassetteError, difference, recorded
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.wire import HttpRequest

PROVIDERS = ("openai", "anthropic", "gemini")
KEY = "sk-test-0123456789"


def network(fake: Any) -> HttpTransport:
    return HttpTransport(Environment(private_hosts=(fake.url.removeprefix("http://"),)))


def client(
    transport: Any, waits: list[float] | None = None, keys: dict[str, str] | None = None
) -> ModelClient:
    environment = Environment(secrets={"key": Secret(env="KEY")})

    async def sleep(seconds: float) -> None:
        assert waits is not None, "a replay does not wait"
        waits.append(seconds)

    return ModelClient(environment, Secrets(environment, keys or {}), transport, sleep=sleep)


async def take(fake: Any, requests: list[Any], secrets: Secrets) -> Cassette:
    secrets.get("key")
    recording = RecordingTransport(network(fake), secrets.redact)
    for request in requests:
        try:
            await client(recording, [], {"KEY": KEY}).complete(request, lambda _: None)
        except ModelError:
            continue
    await recording.close()
    return recording.cassette


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_replay_gives_the_same_run_on_another_host_without_a_key(
    provider: Any, serve: Any, request_for: Any, secrets: Secrets, tmp_path: Path
) -> None:
    turns = [
        {"text": "ä one", "calls": [{"name": "desk_search", "arguments": {"query": "x"}}]},
        {"text": "two"},
    ]
    fake = serve(turns)
    first = request_for(provider, fake.url)
    path = tmp_path / "run.json"
    (await take(fake, [first, first], secrets)).save(path)
    replay = ReplayTransport(Cassette.load(path))
    heard: list[str] = []
    elsewhere = request_for(provider, "http://127.0.0.1:1")
    answers = [await client(replay).complete(elsewhere, heard.append) for _ in range(2)]
    assert [answer.message.text for answer in answers] == ["ä one", "two"]
    assert heard == ["ä one", "two"]
    assert answers[0].message.calls[0].arguments.replace(" ", "") == '{"query":"x"}'
    assert len(fake.requests) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_secret_is_on_the_cassette(
    provider: Any, serve: Any, request_for: Any, secrets: Secrets, tmp_path: Path
) -> None:
    fake = serve([{"text": f"your key is {KEY}"}])
    request = request_for(provider, fake.url, messages=(UserMessage(text=f"my key is {KEY}"),))
    path = tmp_path / "run.json"
    (await take(fake, [request], secrets)).save(path)
    text = path.read_text()
    assert "my key is [secret key]" in text
    assert "authorization" not in text
    assert "x-goog-api-key" not in text
    # The streamed pieces are shorter than the key, so the answer is looked at as a whole below.
    assert KEY not in json.dumps([entry["request"] for entry in json.loads(text)["entries"]])


async def test_a_secret_that_a_service_repeats_is_taken_out(
    serve: Any, request_for: Any, secrets: Secrets
) -> None:
    fake = serve([{"error": {"status": 401, "message": f"bad key {KEY}"}}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    assert "bad key [secret key]" in "\n".join(cassette.entries[0].response.body)


async def test_errors_and_new_tries_replay_without_waiting(
    serve: Any, request_for: Any, secrets: Secrets
) -> None:
    fake = serve([{"error": {"status": 429, "message": "slow", "retry_after": 9}}, {"text": "ok"}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    assert [entry.response.status for entry in cassette.entries] == [429, 200]
    answer = await client(ReplayTransport(cassette)).complete(request_for("openai", fake.url), lambda _: None)
    assert answer.message.text == "ok"


async def test_a_malformed_stream_replays_as_it_was(serve: Any, request_for: Any, secrets: Secrets) -> None:
    fake = serve([{"raw": "data: {\n\nrest"}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    with pytest.raises(ModelError, match="can't be read"):
        await client(ReplayTransport(cassette)).complete(request_for("openai", fake.url), lambda _: None)


async def test_a_body_that_is_not_text_is_kept(serve: Any, request_for: Any, secrets: Secrets) -> None:
    fake = serve([{"raw": "data: \udcff\n\n"}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    assert cassette.entries[0].response.content() == b"data: \xff\n\n"
    with pytest.raises(ModelError, match="UTF-8"):
        await client(ReplayTransport(cassette)).complete(request_for("openai", fake.url), lambda _: None)


async def test_another_request_is_told_apart_by_its_first_difference(
    serve: Any, request_for: Any, secrets: Secrets
) -> None:
    fake = serve([{"text": "ok"}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    changed = request_for("openai", fake.url, instructions="You triage, kindly.")
    with pytest.raises(CassetteError) as caught:
        await client(ReplayTransport(cassette)).complete(changed, lambda _: None)
    assert str(caught.value) == (
        "request 1 (`POST /v1/chat/completions`) is not on the cassette: `body.messages[0].content` was "
        '"You triage." when it was recorded and is "You triage, kindly."; record again with `--record`'
    )


async def test_more_requests_than_were_recorded(serve: Any, request_for: Any, secrets: Secrets) -> None:
    fake = serve([{"text": "ok"}])
    request = request_for("openai", fake.url)
    replay = ReplayTransport(await take(fake, [request], secrets))
    await client(replay).complete(request, lambda _: None)
    with pytest.raises(CassetteError, match=r"request 2 .* all of its 1 answers are used up"):
        await client(replay).complete(request, lambda _: None)


def get(url: str, body: bytes | None = None) -> HttpRequest:
    return HttpRequest(
        method="GET" if body is None else "POST",
        url=url,
        headers={"authorization": "Bearer s3cret", "cookie": "s=s3cret"},
        body=body,
        origin="http://h:80",
        timeout_ms=1,
        max_response_bytes=1,
    )


def redact(text: str) -> str:
    return text.replace("s3cret", "[secret s]")


def test_tool_traffic_has_its_query_secrets_left_out() -> None:
    kept = recorded(get("http://h:80/a/b?x=1&api_key=s3cret&y=%20"), redact)
    assert kept.path == "/a/b?x=1&y=%20"
    assert kept.dropped == ("api_key",)
    again = recorded(get("https://other:1/a/b?x=1&api_key=&y=%20"), str, frozenset({"api_key"}))
    assert again.digest == kept.digest
    assert recorded(get("http://h:80/a/b?x=2&y=%20"), redact).digest != kept.digest


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (b'{"a":{"b":[1,2]}}', b'{"a":{"b":[1,3]}}', "`body.a.b[1]` was 2 when it was recorded and is 3"),
        (b'{"a":1}', b'{"a":1,"b":2}', "`body.b` was absent when it was recorded and is 2"),
        (b"[1,2]", b"[1]", "`body[1]` was 2 when it was recorded and is absent"),
        (b'{"a":1}', b'{"a":true}', "`body.a` was 1 when it was recorded and is true"),
        (b"plain", b"other", '`body` was "plain" when it was recorded and is "other"'),
        (b"{}", None, "`method` was"),
    ],
)
async def test_differences(then: bytes, now: bytes | None, told: str) -> None:
    entry = {
        "request": {"method": "POST", "path": "/a", "body": None, "digest": ""},
        "response": {"status": 200, "headers": {}, "body": [""]},
    }
    cassette = msgspec.convert({"format": "agentc.cassette/1", "entries": [entry]}, Cassette)
    cassette = Cassette(
        entries=(
            msgspec.structs.replace(cassette.entries[0], request=recorded(get("http://h/a", then), str)),
        )
    )
    with pytest.raises(CassetteError) as caught:
        async with ReplayTransport(cassette).send(get("http://h/a", now)):
            raise AssertionError
    assert told in str(caught.value)


async def test_a_late_difference_in_a_long_text_is_shown_where_it_is() -> None:
    long = "x" * 5000
    then = recorded(get("http://h/a", json.dumps(f"{long} old").encode()), str)
    now = recorded(get("http://h/a", json.dumps(f"{long} new").encode()), str)
    path, before, after = difference(then, now)
    assert (path, before[-5:], after[-5:]) == ("body", ' old"', ' new"')
    assert len(before) < 50


# --- files ----------------------------------------------------------------------------------------------


async def test_a_saved_cassette_is_stable_and_one_line_of_the_answer_is_one_line_of_the_file(
    serve: Any, request_for: Any, secrets: Secrets, tmp_path: Path
) -> None:
    fake = serve([{"text": "hi"}])
    cassette = await take(fake, [request_for("openai", fake.url)], secrets)
    path = tmp_path / "run.json"
    cassette.save(path)
    text = path.read_text(encoding="utf-8")
    assert Cassette.load(path) == cassette
    Cassette.load(path).save(path)
    assert path.read_text(encoding="utf-8") == text
    assert '          "data: [DONE]",\n' in text
    assert os.listdir(tmp_path) == ["run.json"]  # no temporary file is left


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"format": "agentc.cassette/9", "entries": []}', "`agentc.cassette/9`, not `agentc.cassette/1`"),
        (b'{"format": "agentc.cassette/1", "entries": [{}]}', "malformed"),
        (b'{"format": "agentc.cassette/1", "entries": [], "more": 1}', "malformed"),
    ],
)
def test_files_that_are_no_cassette(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CassetteError, match=words) as caught:
        Cassette.load(path)
    assert str(path) in str(caught.value)
    assert "--record" in str(caught.value)


def test_a_folder_is_no_cassette_and_nowhere_is_no_place_for_one(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="can't be read"):
        Cassette.load(tmp_path)
    with pytest.raises(CassetteError, match="can't be written"):
        Cassette().save(tmp_path / "missing" / "run.json")
