"""Answers that are kept: for the same request alone, for their time, and never where tools are offered."""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.models.kept import MOST, KeptAnswers
from agentc_runtime.models.types import UserMessage


class Clock:
    """Time that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ask(serve: Any, connect: Any, request_for: Any, model: Any) -> Any:
    """Asks a provider that numbers its answers; each turn with a client of its own."""
    fake, clock = serve([{"text": f"answer {number}"} for number in range(20)]), Clock()
    kept = KeptAnswers(clock)

    async def turn(said: str = "hi", **changes: Any) -> Any:
        client = connect(fake.url)
        client._kept = kept
        cache = {"response_cache_ms": changes.pop("response_cache_ms", 60_000)}
        request = request_for(
            "openai",
            fake.url,
            messages=(UserMessage(text=said),),
            model=model("openai", fake.url, **cache),
            **{"tools": (), **changes},
        )
        heard: list[str] = []
        response = await client.complete(request, heard.append)
        return response, "".join(heard)

    turn.fake, turn.clock = fake, clock  # type: ignore[attr-defined]
    return turn


async def test_the_same_request_is_answered_again_and_costs_nothing(ask: Any) -> None:
    first, _ = await ask()
    second, heard = await ask()
    assert (first.message.text, first.cached) == ("answer 0", False)
    assert (second.message.text, second.cached, heard) == ("answer 0", True, "answer 0")
    assert (second.usage.input, second.usage.output) == (0, 0)
    assert len(ask.fake.requests) == 1


async def test_another_request_is_another_answer(ask: Any) -> None:
    await ask()
    for changes in ({"said": "ho"}, {"instructions": "Else."}, {"output": {"type": "object"}}):
        response, _ = await ask(**changes)
        assert not response.cached
    assert len(ask.fake.requests) == 4


async def test_after_its_time_it_is_asked_for_again(ask: Any) -> None:
    await ask()
    ask.clock.now += 60
    response, _ = await ask()
    assert (response.message.text, response.cached) == ("answer 1", False)


async def test_nothing_is_kept_where_it_is_not_asked_for_or_tools_are_offered(
    ask: Any, request_for: Any
) -> None:
    tools = request_for("openai", ask.fake.url).tools
    assert tools
    for changes in ({"response_cache_ms": None}, {"tools": tools}):
        await ask(**changes)
        response, _ = await ask(**changes)
        assert not response.cached


async def test_what_is_kept_is_bounded(ask: Any, request_for: Any, model: Any) -> None:
    response, _ = await ask()
    kept = KeptAnswers(Clock())
    requests = [
        request_for(
            "openai",
            "http://x",
            tools=(),
            messages=(UserMessage(text=str(number)),),
            model=model("openai", "http://x", response_cache_ms=1000),
        )
        for number in range(MOST + 1)
    ]
    for request in requests:
        kept.keep(request, "http://x", response)
    assert kept.find(requests[0], "http://x") is None
    assert kept.find(requests[-1], "http://x") is not None
    assert kept.find(requests[-1], "http://y") is None
