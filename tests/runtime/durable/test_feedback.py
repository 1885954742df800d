"""What people say of runs lies with the runs: one word each, and it goes when the run's data goes."""

from __future__ import annotations

import pytest

from agentc_runtime.durable.erasing import collect_bundles, erase_run
from agentc_runtime.durable.feedback import (
    NothingKeptError,
    UnfitCorrectionError,
    give_feedback,
    list_feedback,
    withdraw_feedback,
)
from agentc_runtime.durable.runs import end_run
from agentc_runtime.ledger import Ledger
from agentc_runtime.said import Said

BAD = Said(thumb="down", correction={"outcome": "escalated"}, labels=("wrong-refund",), comment="not hers")


def test_each_person_has_one_word_and_the_last_one_counts(ledger: Ledger, running: str) -> None:
    first = give_feedback(ledger, running, Said(thumb="up"), by="ana", tenant="acme")
    assert give_feedback(ledger, running, Said(thumb="up"), by="ana", tenant="acme") == first, (
        "once is enough"
    )
    again = give_feedback(
        ledger, running, Said(thumb="down", labels=("late", "late")), by="ana", tenant="acme"
    )
    give_feedback(ledger, running, Said(thumb="up"), by="ben", tenant="acme")
    give_feedback(ledger, running, Said(thumb="up"), by="ana", tenant="other")
    assert again.said.labels == ("late",)
    told = list_feedback(ledger, tenant="acme")
    assert [(one.run_id, one.agent, one.by, one.said.thumb) for one in told] == [
        (running, "triage", "ana", "down"), (running, "triage", "ben", "up"),
    ]  # fmt: skip
    assert withdraw_feedback(ledger, running, by="ana", tenant="acme")
    assert not withdraw_feedback(ledger, running, by="ana", tenant="acme")
    assert sorted(one.by for one in list_feedback(ledger)) == ["ana", "ben"]


def test_it_is_found_by_agent_thumb_and_run(ledger: Ledger, running: str) -> None:
    give_feedback(ledger, running, Said(thumb="down"), by="ana")
    assert len(list_feedback(ledger, agent="triage", thumb="down", run_id=running, by="ana")) == 1
    for other in ({"agent": "x"}, {"thumb": "up"}, {"run_id": "x"}, {"by": "x"}, {"tenant": "x"}):
        assert list_feedback(ledger, **other) == (), other  # type: ignore[arg-type]
    assert list_feedback(ledger, before=running) == ()
    assert len(list_feedback(ledger, before=f"{running}-")) == 1


def test_of_no_run_nothing_is_kept(ledger: Ledger) -> None:
    with pytest.raises(NothingKeptError):
        give_feedback(ledger, "run-1", BAD, by="ana")


def test_a_correction_is_one_that_the_agent_could_give(ledger: Ledger, running: str) -> None:
    with pytest.raises(UnfitCorrectionError, match=r"no output of agent `triage`: at `outcome`: 7 is not of"):
        give_feedback(ledger, running, Said(correction={"outcome": 7}), by="ana")
    assert list_feedback(ledger) == ()
    give_feedback(ledger, running, BAD, by="ana")
    with ledger.transaction() as within:
        end_run(within, running, "succeeded", {}, None)
    assert len(collect_bundles(ledger)) == 1
    unchecked = give_feedback(ledger, running, Said(correction=7), by="ben")
    assert unchecked.said.correction == 7, "nobody can tell any more"


def test_it_goes_with_the_run_and_can_not_come_after(ledger: Ledger, running: str) -> None:
    give_feedback(ledger, running, BAD, by="ana")
    ledger.end_run(running, "succeeded", output={}, refusal=None)
    assert erase_run(ledger, running, by="ops", reason="asked to")
    assert list_feedback(ledger) == ()
    with pytest.raises(NothingKeptError):
        give_feedback(ledger, running, BAD, by="ana")
