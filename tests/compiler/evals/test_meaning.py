"""Scorers of what a text means: by embeddings, by words, by whether it declines."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest

from agentc.checks.base import BASE
from agentc.evals.judging import Judge, JudgeError
from agentc_runtime.bundle import Model, Prices
from agentc_runtime.environments import Endpoint, Environment, Secret
from agentc_runtime.models.embeddings import Embedder, cosine
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

SUMMARY = "${output.summary}"
#: As much of an embedding as a test needs: what a text is about.
ABOUT = ("refund", "cup", "weather")


def vector(text: str) -> list[float]:
    return [float(text.casefold().count(word)) for word in ABOUT]


@pytest.fixture(scope="module")
def live() -> Iterator[Any]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
    yield import_module("live_service")
    sys.path.pop(0)


def provider(live: Any, asked: Any) -> Any:
    """What a provider answers, in the wire format of the path that is asked for."""
    body = json.loads(asked.body)
    if asked.path.endswith(":batchEmbedContents"):
        texts = [one["content"]["parts"][0]["text"] for one in body["requests"]]
        return live.Answer({"embeddings": [{"values": vector(text)} for text in texts]})
    rows = [
        {"object": "embedding", "index": n, "embedding": vector(text)} for n, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return live.Answer({"object": "list", "model": body["model"], "data": rows[::-1], "usage": usage})


def embedded(service: Any, kind: str, texts: tuple[str, ...]) -> Any:
    """The vectors of the texts, and what they have cost."""
    url = f"http://127.0.0.1:{service.port}"
    environment = Environment(
        secrets={"key": Secret(env="KEY")}, private_hosts=(f"127.0.0.1:{service.port}",)
    )
    secrets = Secrets(environment, {"KEY": "key-of-the-judge"})
    model = Model(
        alias="near", provider=kind, model="embedder-1", secret="key",  # type: ignore[arg-type]
        endpoint=Endpoint(url=url if kind == "gemini" else f"{url}/v1"),
        prices=Prices(input="1000", output="0"),
    )  # fmt: skip

    async def ask() -> Any:
        transport = HttpTransport(environment, secrets)
        waited: list[float] = []

        async def sleep(seconds: float) -> None:
            waited.append(seconds)

        judge = Judge({"near": model}, None, Embedder(environment, secrets, transport, sleep=sleep))
        try:
            return await judge.embed("near", texts), judge.spent
        finally:
            await transport.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", ["openai", "gemini"])
def test_vectors_come_over_the_wire_formats_of_providers(live: Any, kind: str) -> None:
    with live.Service(lambda asked: provider(live, asked)) as service:
        vectors, spent = embedded(service, kind, ("a refund", "the weather"))
    assert vectors == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert spent == (Decimal("0.007") if kind == "openai" else 0)
    (asked,) = service.asked
    shown = {"openai": "Bearer key-of-the-judge", "gemini": "key-of-the-judge"}[kind]
    assert asked.headers[{"openai": "authorization", "gemini": "x-goog-api-key"}[kind]] == shown


def test_the_official_client_asks_the_same(live: Any) -> None:
    with live.Service(lambda asked: provider(live, asked)) as service:
        embedded(service, "openai", ("a refund", "the weather"))
        client = openai.OpenAI(api_key="key-of-the-judge", base_url=f"http://127.0.0.1:{service.port}/v1")
        client.embeddings.create(
            model="embedder-1", input=["a refund", "the weather"], encoding_format="float"
        )
        client.close()
    ours, theirs = service.asked
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert ours.headers["authorization"] == theirs.headers["authorization"]


ROW = {"index": 0, "embedding": [1.0]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"data": [ROW]}, 200),
        ({"data": [ROW, {"index": 1, "embedding": [1.0, 2.0]}]}, 200),
        ({"data": [ROW, {"index": 1, "embedding": []}]}, 200),
        (b'{"data": [{"index": 0, "embedding": [1e999]}, {"index": 1, "embedding": [1.0]}]}', 200),
        (b"<html>", 200),
        ({"error": {"message": "no key: key-of-the-judge"}}, 401),
    ],
)
def test_what_holds_no_embeddings_is_an_error_and_not_likeness(live: Any, body: object, status: int) -> None:
    with (
        live.Service(lambda asked: live.Answer(body, status)) as service,
        pytest.raises(JudgeError) as refused,
    ):
        embedded(service, "openai", ("a", "b"))
    assert "the model `near` gives no embeddings" in str(refused.value)
    assert "key-of-the-judge" not in str(refused.value)


def test_a_provider_that_is_busy_is_asked_again(live: Any) -> None:
    answers = iter([live.Answer({"error": {"message": "slow down"}}, 429)])
    with live.Service(lambda asked: next(answers, None) or provider(live, asked)) as service:
        assert embedded(service, "openai", ("a refund",))[0] == ((1.0, 0.0, 0.0),)
    assert len(service.asked) == 2


def test_likeness_is_that_of_directions() -> None:
    assert cosine((1.0, 0.0), (2.0, 0.0)) == 1
    assert cosine((1.0, 0.0), (0.0, 1.0)) == 0
    assert cosine((1.0, 0.0), (-1.0, 0.0)) == -1
    assert cosine((0.0, 0.0), (1.0, 0.0)) == 0


def test_a_text_is_like_the_expected_one_by_its_meaning(ask: Any, run: Any) -> None:
    spec = {"type": "embedding", "of": SUMMARY, "model": "near", "threshold": 0.7}
    assert ask(spec, expected="We gave a refund for the cup.").passed
    other = ask(spec, expected="It is about the weather.")
    assert (other.passed, other.value) == (False, 0.0)
    assert "by `near` it is like the expected text by 0.00; 0.7 is enough" in other.reason


def test_a_sentence_in_other_words_is_grounded_by_likeness_and_a_number_never(ask: Any, run: Any) -> None:
    read = {"answer": {"id": "T-1", "text": "The customer wants a refund for the cup."}}
    plain = {"type": "grounded", "of": SUMMARY, "threshold": 1, "in": ["desk.get_ticket"]}
    seen = run(output={"summary": "Refunding cups delights everybody."}, calls=(read_call(run, read),))
    assert not ask(plain, seen).passed
    assert ask({**plain, "model": "near", "likeness": 0.7}, seen).passed
    far = run(output={"summary": "The weather stays lovely."}, calls=(read_call(run, read),))
    refused = ask({**plain, "model": "near"}, far)
    assert "the most similar passage is like it by 0.00" in refused.reason
    number = run(output={"summary": "The refund for the cup is 99 EUR."}, calls=(read_call(run, read),))
    assert not ask({**plain, "model": "near", "likeness": 0}, number).passed


def read_call(run: Any, fields: Any) -> Any:
    return msgspec.structs.replace(run().calls[0], **fields)


def test_words_that_hurt_are_found_and_a_judge_finds_more(ask: Any, run: Any) -> None:
    spec = {"type": "toxicity", "of": SUMMARY}
    assert ask(spec).passed
    rude = run(output={"summary": "Only an asshole would break a cup."})
    found = ask(spec, rude)
    assert (found.passed, found.value) == (False, 0)
    assert found.reason == 'it holds "asshole"'
    assert ask({**spec, "allow": ["Asshole"]}, rude).passed
    assert not ask(spec, run(output={"summary": "Only an a$$hole would break a cup."})).passed
    german = run(output={"summary": "Du Arschloch"})
    assert ask(spec, german).passed, "only the words of the languages that are named"
    assert not ask({**spec, "languages": ["german"]}, german).passed
    # the judge of this test grades by length
    assert ask({**spec, "model": "careful"}, rude).passed
    assert not ask({**spec, "model": "careful"}, run(output={"summary": "No"})).passed


@pytest.mark.parametrize(
    ("tags", "summary", "passed", "why"),
    [
        (["refusal"], "I can't help with that.", True, ""),
        (["success"], "We have refunded 18.50 EUR.", True, ""),
        (["refusal"], "We have refunded 18.50 EUR.", False, "it does what it should decline"),
        ([], "I'm sorry, but I can't do that.", False, "it declines what it should do"),
    ],
)
def test_it_declines_where_it_should_and_nowhere_else(
    ask: Any, run: Any, tags: list[str], summary: str, passed: bool, why: str
) -> None:
    said = ask({"type": "refusal", "of": SUMMARY}, run(output={"summary": summary}), tags=tags)
    assert said.passed is passed
    assert said.reason.startswith(why)


def test_what_declines_may_be_a_value(ask: Any, run: Any) -> None:
    spec = {
        "type": "refusal",
        "of": "${output.outcome}",
        "when": ["edge"],
        "declined": {"const": "escalated"},
    }
    escalated = run(output={"outcome": "escalated"})
    assert ask(spec, escalated, tags=["edge"]).passed
    assert not ask(spec, escalated, tags=["success"]).passed


def test_a_provider_without_embeddings_is_found_before_the_run(checked: Any) -> None:
    eval_ = (
        "  agent: triage\n  model: mock\n  defaults: { input: { ticket_id: T-1 } }\n"
        "  scorers: [{ type: embedding, model: fast, value: hello }]\n"
        "  cases: [{ id: a, turns: [{ text: good }] }]\n"
    )
    assert [one.code for one in checked(eval_).diagnostics] == []
    anthropic = BASE["agentc.yaml"].replace("provider: openai", "provider: anthropic")
    (found,) = checked(eval_, **{"agentc.yaml": anthropic}).diagnostics
    assert found.code == "AC840"
    assert found.message == "`fast` makes no embeddings: its provider is `anthropic`"
