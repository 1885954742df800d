"""Streams as they should not be: the adapters answer with a response or a `ModelError`, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal, Inexact
from types import ModuleType
from typing import Any

import httpx
import httpx_sse
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc_runtime.bundle import Model, Prices
from agentc_runtime.environments import Endpoint
from agentc_runtime.models import sse
from agentc_runtime.models.client import adapter
from agentc_runtime.models.cost import cost_usd
from agentc_runtime.models.types import ModelError, ModelResponse, Usage

NAMELESS = (
    'data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}, "finish_reason": "stop"}]}\n\n'
    "data: [DONE]\n\n"
)
PROVIDERS = ("openai", "anthropic", "gemini")
TURN = {
    "text": "Two tickets äre open.",
    "thinking": {"text": "hm, which of them", "signature": "c2ln"},
    "calls": [{"name": "search", "arguments": {"query": "open"}}, {"name": "close"}],
    "usage": {"cached_input": 3, "reasoning": 2},
}


def answer(provider: Any, *parts: bytes) -> tuple[list[str], ModelResponse]:
    heard: list[str] = []
    reading = adapter(provider).parse()
    assert next(reading) == ()
    try:
        for event in events(*parts):
            heard += reading.send(event)
        reading.send(None)
    except StopIteration as ended:
        return heard, ended.value
    raise AssertionError("nothing comes after the last event")


def events(*parts: bytes) -> list[tuple[str, str]]:
    decoder = sse.EventDecoder()
    return [event for part in parts for event in decoder.feed(part)]


@pytest.fixture(scope="module")
def valid(fake_provider: ModuleType) -> Callable[[str], bytes]:
    return lambda form: "".join(fake_provider.stream(form, TURN, 1)).encode()


@pytest.mark.parametrize("provider", PROVIDERS)
@given(cut=st.integers(1, 40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_the_network_cuts_does_not_matter(
    provider: str, cut: int, valid: Callable[[str], bytes]
) -> None:
    data = valid(provider)
    whole = answer(provider, data)
    assert answer(provider, *(data[at : at + cut] for at in range(0, len(data), cut))) == whole
    assert "".join(whole[0]) == whole[1].message.text == TURN["text"]


JSON_PIECES = [
    b"null",
    b"-1",
    b"1e999",
    b"[]",
    b"{}",
    b'""',
    b'"x"',
    b"true",
    b"[" * 5000,
    b"\xff",
    b"\x00",
    b"\n\n",
]


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_stream_is_a_response_or_a_model_error(
    provider: str, data: st.DataObject, valid: Callable[[str], bytes]
) -> None:
    stream = bytearray(valid(provider))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream)))
        width = data.draw(st.integers(0, 30))
        stream[at : at + width] = data.draw(st.one_of(st.sampled_from(JSON_PIECES), st.binary(max_size=8)))
    try:
        heard, response = answer(provider, bytes(stream))
    except ModelError:
        return
    assert "".join(heard) == response.message.text
    assert all(call.id and call.name for call in response.message.calls)


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_of_another_type_anywhere_is_a_response_or_a_model_error(
    provider: str, data: st.DataObject, fake_provider: ModuleType
) -> None:
    events = list(fake_provider.stream(provider, TURN, 1))
    index = data.draw(st.integers(0, len(events) - 1))
    head, _, text = events[index].partition("data: ")
    if text.strip() == "[DONE]":
        return
    value = json.loads(text)
    paths = list(_paths(value))
    path = data.draw(st.sampled_from(paths))
    other = data.draw(st.sampled_from([None, -1, 1.5, "x", True, [], {}, [[]], {"type": "error"}]))
    events[index] = f"{head}data: {json.dumps(_put(value, path, other))}\n\n"
    try:
        _, response = answer(provider, "".join(events).encode())
    except ModelError:
        return
    assert response.usage.input >= 0
    assert response.usage.output >= 0


def _paths(value: object, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(item, (*path, key))


def _put(value: Any, path: tuple[Any, ...], other: object) -> Any:
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = _put(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_early_end_is_noticed(provider: str, fake_provider: ModuleType) -> None:
    events = list(fake_provider.stream(provider, TURN, 1))
    for end in range(len(events)):
        with pytest.raises(ModelError, match="ended before") as caught:
            answer(provider, "".join(events[:end]).encode())
        assert caught.value.retryable


@pytest.mark.parametrize(
    ("provider", "data", "words"),
    [
        ("openai", "data: {\n\n", "can't be read"),
        ("openai", 'data: {"choices": 7}\n\n', "can't be read"),
        (
            "openai",
            'data: {"error": {"message": "the\\u001b[2J server", "code": "server_error"}}\n\n',
            "server",
        ),
        (
            "openai",
            NAMELESS,
            "without an id or a name",
        ),
        ("openai", 'data: {"choices": [{"finish_reason": "eos"}]}\n\ndata: [DONE]\n\n', "`eos`"),
        (
            "anthropic",
            'event: error\ndata: {"type": "error", "error": {"type": "x", "message": "Overloaded"}}\n\n',
            "Overloaded",
        ),
        (
            "anthropic",
            'data: {"type": "content_block_delta", "index": 3, "delta": {}}\n\n',
            "had not started",
        ),
        (
            "anthropic",
            'data: {"type": "message_start", "message": {"usage": {"input_tokens": -5}}}\n\n',
            "can't be read",
        ),
        ("gemini", 'data: {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}\n\n', "busy"),
        ("gemini", 'data: {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}\n\n', "MALFORMED"),
        ("gemini", 'data: {"candidates": [{"finishReason": "NEW_ONE"}]}\n\n', "`NEW_ONE`"),
    ],
)
def test_what_a_provider_should_not_send(provider: str, data: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        answer(provider, data.encode())
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_events_and_fields_that_are_not_known_are_passed_over(
    provider: str, fake_provider: ModuleType
) -> None:
    events = list(fake_provider.stream(provider, TURN, 1))
    unknown = {
        "openai": 'data: {"choices": [], "obfuscation": "x", "new": {"a": [1]}}\n\n',
        "anthropic": 'event: new_thing\ndata: {"type": "new_thing", "text": "x"}\n\n',
        "gemini": 'data: {"candidates": [{"content": {"parts": [{"newPart": 1}]}}], "more": 1}\n\n',
    }[provider]
    plain = answer(provider, "".join(events).encode())
    noisy = f": comment\n\nid: 7\n\nretry: 10\n\n{events[0]}{unknown}{''.join(events[1:])}"
    got = answer(provider, noisy.encode())
    assert got[1].message.text == plain[1].message.text
    assert [call.arguments for call in got[1].message.calls] == [
        call.arguments for call in plain[1].message.calls
    ]


def test_a_refusal_is_text_that_is_filtered() -> None:
    data = (
        'data: {"choices": [{"delta": {"refusal": "I can\'t."}}]}\n\n'
        'data: {"choices": [{"finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    )
    heard, response = answer("openai", data.encode())
    assert heard == ["I can't."]
    assert response.finish_reason == "content_filter"


def test_a_blocked_prompt_is_filtered() -> None:
    data = 'data: {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}\n\n'
    _, response = answer("gemini", data.encode())
    assert response.finish_reason == "content_filter"
    assert response.usage.input == 4


def test_thinking_that_nobody_may_read_is_kept_too() -> None:
    blocks = [
        {"type": "redacted_thinking", "data": "ENC"},
        {"type": "text", "text": "hi"},
        {"type": "text", "text": ""},
        {"type": "server_tool_use", "id": "s", "name": "web"},
        {"type": "tool_use", "id": "t", "name": "search", "input": {"a": 1}},
    ]
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m"}}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
    events += [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]
    heard, response = answer("anthropic", "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode())
    assert heard == ["hi"]
    assert response.message.calls[0].arguments == '{"a": 1}'
    assert response.message.provider_data == {"anthropic": [blocks[0], blocks[1], blocks[4]]}


# --- the event reader -----------------------------------------------------------------------------------


def test_lines_may_end_in_three_ways_and_data_may_take_several() -> None:
    got = events(b"event: a\r\ndata: 1\r", b"\ndata:2\r\rdata: 3\n\ndata: cut")
    assert got == [("a", "1\n2"), ("message", "3")]
    assert events(b"\xef\xbb\xbfdata: 1\n\n") == [("message", "1")]


LINES = [
    b"data",
    b"event",
    b"id",
    b"retry",
    b":",
    b": ",
    b"x",
    "ä\u2028".encode(),
    b"\x00",
    b"\n",
    b"\r",
    b"\r\n",
]


@given(st.lists(st.sampled_from(LINES), max_size=40), st.integers(1, 7))
@settings(max_examples=300, deadline=None)
def test_law_events_are_those_of_another_reader(pieces: list[bytes], cut: int) -> None:
    data = b"".join(pieces)
    parts = [data[at : at + cut] for at in range(0, len(data), cut)]
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=data)
    theirs = [(one.event, one.data) for one in httpx_sse.EventSource(answer).iter_sse() if one.data]
    assert events(*parts) == theirs


def test_a_huge_line_and_a_huge_stream_are_cut_off() -> None:
    with pytest.raises(ModelError, match="line of more"):
        events(b"data: ", *([b"x" * 1_000_000] * 5))
    line = b"data: " + b"x" * 1_000_000 + b"\n"
    with pytest.raises(ModelError, match="more than"):
        events(*([line] * 34))


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(ModelError, match="UTF-8"):
        events(b"data: \xff\n\n")
    assert events(b"data: \xc3", b"\xa4\n\n") == [("message", "ä")]


# --- cost -----------------------------------------------------------------------------------------------


def priced(**prices: str) -> Model:
    return Model(
        alias="m", provider="openai", model="m", endpoint=Endpoint(url="http://x"), prices=Prices(**prices)
    )


def test_cost_is_exact_and_cached_input_has_its_own_price() -> None:
    usage = Usage(input=1_000_003, output=7, cached_input=1_000_000, reasoning=7)
    model = priced(input="2.50", output="10", cached_input="0.25")
    assert cost_usd(model, usage) == Decimal("0.2500775")
    assert cost_usd(priced(input="2.50", output="10"), usage) == Decimal("2.5000775") + Decimal("0")
    unpriced = Model(alias="m", provider="openai", model="m", endpoint=Endpoint(url="http://x"))
    assert cost_usd(unpriced, usage) is None


def test_more_cached_tokens_than_tokens_do_not_lower_the_cost() -> None:
    model = priced(input="2", output="10", cached_input="1")
    assert cost_usd(model, Usage(input=10, cached_input=1000)) == Decimal("0.00001")


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.decimals(0, 10**6, places=12))
def test_cost_is_never_rounded(tokens: int, out: int, price: Decimal) -> None:
    cost = cost_usd(priced(input=f"{price:f}", output="0.1"), Usage(input=tokens, output=out))
    numerator, denominator = price.as_integer_ratio()
    assert cost is not None
    top, bottom = cost.as_integer_ratio()
    assert top * denominator * 10**7 == bottom * (numerator * tokens * 10 + out * denominator)


def test_a_price_of_absurd_length_is_not_rounded_silently() -> None:
    with pytest.raises(Inexact):
        cost_usd(priced(input="0." + "1" * 120, output="0"), Usage(input=3))


def test_what_is_written_to_a_cache_has_its_own_price() -> None:
    usage = Usage(input=3_000_000, output=0, cached_input=1_000_000, cache_write=1_000_000)
    assert cost_usd(priced(input="4", output="10", cached_input="1", cache_write="5"), usage) == Decimal(10)
    # without one it is input, and a provider that counts more than there is changes nothing
    assert cost_usd(priced(input="4", output="10", cached_input="1"), usage) == Decimal(9)
    more = Usage(input=10, output=0, cached_input=8, cache_write=8)
    assert cost_usd(priced(input="1000000", output="10", cached_input="0", cache_write="0"), more) == Decimal(
        0
    )
