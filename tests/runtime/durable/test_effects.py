"""Calls of durable runs: an intent and an outcome each, and nothing sent twice in doubt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentc_runtime.calls import Claim, Parked, Returned
from agentc_runtime.durable.effects import claim_call, outcomes_of, refuse_call, settle_call
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.runs import begin_run, held
from agentc_runtime.labels import Label
from agentc_runtime.ledger import Ledger
from agentc_runtime.quotas import QuotaName
from agentc_runtime.refusals import Refusal

Claims = Callable[..., Claim]
ANSWER = Returned(status=200, value={"amount": 1.0, "big": 2**70}, label=Label(trust="trusted"), seconds=0.1)


def intend(ledger: Ledger, claim: Claim) -> QuotaName | None:
    with ledger.transaction() as within:
        held(within, claim.run_id, 1)
        return claim_call(within, claim)


def settle(ledger: Ledger, call_id: str = "call-1") -> None:
    with ledger.transaction() as within:
        settle_call(within, "run-1", call_id, ANSWER)


def kinds(ledger: Ledger) -> list[str]:
    with ledger.transaction() as within:
        return [str(row[0]) for row in within.execute("SELECT kind FROM audit ORDER BY seq").fetchall()]


def test_what_came_of_a_call_is_given_back_as_it_was(ledger: Ledger, running: str, claim: Claims) -> None:
    intend(ledger, claim())
    settle(ledger)
    refusal = Refusal(code="AR101", message="no such tool")
    said = {
        "call_id": "call-2",
        "state": "main",
        "tool": "x",
        "refusal": {"code": "AR101", "message": "no such tool"},
    }
    for _ in range(2):
        with ledger.transaction() as within:
            refuse_call(within, "run-1", said)
    assert outcomes_of(ledger, "run-1") == {"call-1": ANSWER, "call-2": refusal}
    found = outcomes_of(ledger, "run-1")["call-1"]
    assert isinstance(found, Returned)
    assert isinstance(found.value, dict)
    assert isinstance(found.value["amount"], float)
    assert kinds(ledger) == ["run_started", "claimed", "settled", "refused"]


@pytest.mark.parametrize("how", [{"effect": "read"}, {"idempotency_key": "k-1"}])
def test_a_call_that_can_be_repeated_is(
    ledger: Ledger, running: str, claim: Claims, how: dict[str, str]
) -> None:
    assert intend(ledger, claim(**how, per_run=1)) is None
    assert intend(ledger, claim(**how, per_run=1)) is None
    assert kinds(ledger) == ["run_started", "claimed", "repeated"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {}),
        ({"idempotency_key": "k-1"}, {"idempotency_key": "k-2"}),
        ({"idempotency_key": "k-1"}, {}),
        ({"idempotency_key": "k-1"}, {"idempotency_key": "k-1", "request_digest": "ef" * 32}),
        ({"effect": "read"}, {"effect": "read", "request_digest": "ef" * 32}),
    ],
)
def test_a_call_in_doubt_stops_the_run(
    ledger: Ledger, running: str, claim: Claims, first: dict[str, str], then: dict[str, str]
) -> None:
    intend(ledger, claim(**first))
    for _ in range(2):
        with pytest.raises(Parked) as parked:
            intend(ledger, claim(**then))
        assert parked.value.status == "needs_attention"
        assert "may have been sent before the run was interrupted" in parked.value.why
    assert kinds(ledger) == ["run_started", "claimed"]


def test_a_process_that_has_lost_its_run_sends_nothing(ledger: Ledger, running: str, claim: Claims) -> None:
    intend(ledger, claim())
    settle(ledger)
    with pytest.raises(Parked) as parked:
        intend(ledger, claim())
    assert parked.value.status == "stopped"


@pytest.mark.parametrize("status", ["waiting", "cancelled", "succeeded", "needs_attention", "queued"])
def test_nothing_is_sent_for_a_run_that_does_not_run(
    ledger: Ledger, running: str, claim: Claims, status: str
) -> None:
    with ledger.transaction() as within:
        within.execute("UPDATE runs SET status = ? WHERE run_id = 'run-1'", (status,))
    with pytest.raises(Parked):
        intend(ledger, claim())
    assert kinds(ledger) == ["run_started"]


def test_nothing_is_sent_by_a_process_that_has_lost_its_run(
    ledger: Ledger, running: str, claim: Claims
) -> None:
    assert begin_run(ledger, "run-1") is not None  # another process, which took this one for dead
    with pytest.raises(Parked) as parked:
        intend(ledger, claim())
    assert "another process carries out this run" in parked.value.why
    assert kinds(ledger) == ["run_started"]


def test_quotas_count_each_call_once(ledger: Ledger, running: str, claim: Claims) -> None:
    key = {"idempotency_key": "k-1"}
    assert intend(ledger, claim(**key, per_run=2, per_day=2)) is None
    assert intend(ledger, claim(**key, per_run=2, per_day=2)) is None
    assert intend(ledger, claim("call-2", per_run=2)) is None
    assert intend(ledger, claim("call-3", per_run=2)) == "per_run"
    assert intend(ledger, claim("call-4", per_day=2)) == "per_day"


def test_processes_do_not_overshoot_the_quota_of_a_day_together(
    url: str, ledger: Ledger, claim: Claims
) -> None:
    def several(number: int) -> int:
        opened = open_ledger(url)
        try:
            said = [claim(f"call-{n}", run_id=f"run-{number}", per_day=30) for n in range(15)]
            return sum(opened.claim(one) is None for one in said)
        finally:
            opened.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(several, range(4))) == 30


def test_the_first_outcome_stays(ledger: Ledger, running: str, claim: Claims) -> None:
    intend(ledger, claim())
    settle(ledger)
    with ledger.transaction() as within:
        settle_call(within, "run-1", "call-1", Refusal(code="AR407", message="unclear"))
    assert outcomes_of(ledger, "run-1") == {"call-1": ANSWER}
    assert kinds(ledger).count("settled") == 1
