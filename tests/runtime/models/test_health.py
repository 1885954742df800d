"""A model that keeps failing is left alone, and one try finds out when it is well."""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.models import client as clients
from agentc_runtime.models.client import ModelClient
from agentc_runtime.models.health import Health
from agentc_runtime.models.types import ModelError
from agentc_runtime.pacing import BREAK_AFTER, BREAK_SECONDS


class Clock:
    """Time that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(times: int, status: int = 503) -> list[dict[str, Any]]:
    return [{"error": {"status": status, "message": "no"}}] * times


@pytest.fixture
def ask(serve: Any, connect: Any, request_for: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks one model of a provider that answers as scripted: each turn with a client of its own."""
    monkeypatch.setattr(clients, "ATTEMPTS", 1)

    def over(script: list[dict[str, Any]]) -> Any:
        fake, health = serve(script), Health(clock)

        async def turn() -> str:
            client: ModelClient = connect(fake.url)
            client._health = health
            response = await client.complete(request_for("openai", fake.url), lambda _: None)
            return response.message.text

        return turn, fake, health

    return over


async def test_after_some_failures_in_a_row_it_is_not_asked(ask: Any, clock: Clock) -> None:
    turn, fake, health = ask([*fail(BREAK_AFTER), {"text": "ok"}])
    for _ in range(BREAK_AFTER):
        with pytest.raises(ModelError, match="503"):
            await turn()
    with pytest.raises(ModelError, match="failed 5 times in a row; the next try is in 30 s") as caught:
        await turn()
    assert caught.value.free
    assert len(fake.requests) == BREAK_AFTER
    (seen,) = health.report()
    assert (seen.ok, seen.failures, seen.next_try_seconds) == (False, 5, BREAK_SECONDS)

    clock.now += BREAK_SECONDS
    assert await turn() == "ok"
    assert health.report()[0].ok


async def test_one_try_goes_through_and_the_others_wait_for_it(ask: Any, clock: Clock) -> None:
    turn, fake, _ = ask(fail(BREAK_AFTER + 3))
    for _ in range(BREAK_AFTER):
        with pytest.raises(ModelError):
            await turn()
    clock.now += BREAK_SECONDS
    with pytest.raises(ModelError, match="503"):
        await turn()
    with pytest.raises(ModelError, match="in a row"):
        await turn()
    assert len(fake.requests) == BREAK_AFTER + 1


async def test_an_error_of_ours_says_nothing_of_the_models_health(ask: Any) -> None:
    turn, fake, health = ask(fail(BREAK_AFTER + 2, status=400))
    for _ in range(BREAK_AFTER + 2):
        with pytest.raises(ModelError, match="400"):
            await turn()
    assert len(fake.requests) == BREAK_AFTER + 2
    assert health.report()[0].ok


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_what_a_provider_refused_is_not_charged(ask: Any, status: int) -> None:
    turn, _, _ = ask(fail(1, status))
    with pytest.raises(ModelError) as caught:
        await turn()
    assert caught.value.free


def test_what_broke_off_may_be_charged() -> None:
    assert not ModelError("provider broke off").free
    assert ModelError("left alone", sent=False).free
