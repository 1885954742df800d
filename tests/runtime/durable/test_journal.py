"""How often a durable run writes: what belongs together is kept together, and nothing comes after the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agentc_runtime.calls import Claim, Returned
from agentc_runtime.durable.effects import outcomes_of
from agentc_runtime.durable.journal import SOON, DurableJournal
from agentc_runtime.journal import StoreError
from agentc_runtime.labels import Label
from agentc_runtime.ledger import Ledger, Transaction

ANSWER = Returned(status=200, value="done", label=Label(), seconds=0.1)


@pytest.fixture
def written(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each transaction has recorded, in order."""
    seen: list[str] = []
    transaction = ledger.transaction

    @contextmanager
    def watched() -> Iterator[Transaction]:
        with transaction() as within:
            yield within
            seen.append(" ".join(entry.kind for entry in within.entries))

    monkeypatch.setattr(ledger, "transaction", watched)
    return seen


async def test_an_outcome_is_kept_with_the_next_intent_and_nothing_after_the_end(
    ledger: Ledger, running: str, written: list[str], claim: Callable[..., Claim]
) -> None:
    journal = DurableJournal(ledger, running, 1)
    journal.keep_turn("model-1", "a")
    await journal.claim(claim("call-1"))
    journal.settle(running, "call-1", ANSWER)
    await journal.claim(claim("call-2"))
    journal.settle(running, "call-2", ANSWER)
    journal.record_step(running, 1, "main", "done")
    await journal.end_run(running, "succeeded", output="done", refusal=None)
    await asyncio.sleep(10 * SOON)
    await journal.close()
    assert written == ["claimed", "settled claimed", "settled run_ended"]


async def test_what_no_other_record_takes_along_is_kept_soon(
    ledger: Ledger, running: str, written: list[str], claim: Callable[..., Claim]
) -> None:
    journal = DurableJournal(ledger, running, 1)
    await journal.claim(claim("call-1"))
    journal.settle(running, "call-1", ANSWER)
    for _ in range(5000):
        if len(written) == 2:
            break
        await asyncio.sleep(SOON)
    await journal.close()
    assert written == ["claimed", "settled"]


async def test_a_process_that_is_to_end_does_not_wait_for_a_store_that_is_away(
    ledger: Ledger, running: str, claim: Callable[..., Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = DurableJournal(ledger, running, 1)
    await journal.claim(claim("call-1"))
    journal.settle(running, "call-1", ANSWER)

    def away() -> None:
        raise StoreError("connection refused", "store")

    with monkeypatch.context() as gone:
        gone.setattr(ledger, "transaction", away)
        journal.cut_off = True
        async with asyncio.timeout(10):
            await journal.close()
    assert outcomes_of(ledger, running) == {}, "in doubt, as after a crash"
