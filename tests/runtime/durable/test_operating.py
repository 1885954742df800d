"""What operators do: cancel, decide about calls in doubt, erase, collect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from agentc_runtime.audit import verify_audit
from agentc_runtime.calls import ApprovalRequest, Claim, Parked, Returned
from agentc_runtime.durable.approvals import consult, list_approvals
from agentc_runtime.durable.audits import read_ledger, verify_ledger
from agentc_runtime.durable.effects import claim_call, outcomes_of, settle_call
from agentc_runtime.durable.erasing import collect_bundles, erase_run, find_runs
from agentc_runtime.durable.operating import OperationError, cancel_run, resolve_call
from agentc_runtime.durable.runs import (
    MOST_DEATHS,
    begin_run,
    create_run,
    end_run,
    held,
    keep_turns,
    park_run,
    queue_run,
    stored_bundle,
)
from agentc_runtime.durable.views import find_run
from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger
from agentc_runtime.refusals import Refusal

from .conftest import bundle

Claims = Callable[..., Claim]
SECRET = "somebody@example.org"


def view(ledger: Ledger) -> tuple[str, str]:
    found = find_run(ledger, "run-1")
    assert found is not None
    return found.run.status, found.run.why


def intend(ledger: Ledger, claim: Claim) -> None:
    with ledger.transaction() as within:
        found = within.execute(
            "SELECT attempts FROM durable_runs WHERE run_id = ?", (claim.run_id,)
        ).fetchone()
        assert found is not None
        held(within, claim.run_id, int(str(found[0])))
        claim_call(within, claim)


@pytest.fixture
def doubtful(ledger: Ledger, running: str, claim: Claims) -> str:
    """A run that has stopped because of a call in doubt."""
    intend(ledger, claim())
    park_run(ledger, "run-1", Parked("needs_attention", "`desk.refund` may have been sent"), 0)
    return "run-1"


# --- cancel --------------------------------------------------------------------------------------------


def test_a_cancelled_run_sends_nothing_more(ledger: Ledger, running: str, claim: Claims) -> None:
    intend(ledger, claim())
    cancel_run(ledger, "run-1", by="alice", reason="wrong ticket")
    assert view(ledger) == ("cancelled", "")
    with pytest.raises(Parked):
        intend(ledger, claim("call-2"))
    # what was under way is accounted for when it ends
    with ledger.transaction() as within:
        settle_call(within, "run-1", "call-1", Refusal(code="AR407", message="unclear"))
    found = find_run(ledger, "run-1")
    assert found is not None
    assert [call.outcome for call in found.calls] == ["refused AR407"]
    last = [record for record in read_ledger(ledger) if record.kind == "run_ended"]
    assert [(r.payload["status"], r.payload["by"], r.payload["reason"]) for r in last] == [
        ("cancelled", "alice", "wrong ticket")
    ]
    with pytest.raises(OperationError, match="is over: cancelled"):
        cancel_run(ledger, "run-1", by="bob", reason="again")
    with pytest.raises(OperationError, match="no durable run `run-9`"):
        cancel_run(ledger, "run-9", by="bob", reason="none")
    assert begin_run(ledger, "run-1") is None


def test_what_a_cancelled_run_asked_is_not_decided(
    ledger: Ledger, running: str, a_request: Callable[..., ApprovalRequest]
) -> None:
    with pytest.raises(Parked):
        consult(ledger, "triage", a_request())
    cancel_run(ledger, "run-1", by="alice", reason="")
    assert list_approvals(ledger) == ()


# --- resolve -------------------------------------------------------------------------------------------


def test_it_took_effect(ledger: Ledger, doubtful: str) -> None:
    assert (
        resolve_call(ledger, "run-1", None, "done", by="alice", reason="seen", answer={"id": "R-1"})
        == "call-1"
    )
    outcome = outcomes_of(ledger, "run-1")["call-1"]
    assert isinstance(outcome, Returned)
    assert outcome.value == {"id": "R-1"}
    assert outcome.arguments == {"amount": 20}
    assert outcome.label.trust == "untrusted"
    assert view(ledger) == ("queued", "")
    assert [record.kind for record in read_ledger(ledger)][-2:] == ["resolved", "settled"]


def test_it_did_not(ledger: Ledger, doubtful: str, claim: Claims) -> None:
    resolve_call(ledger, "run-1", "call-1", "not_done", by="alice", reason="not in the books")
    assert begin_run(ledger, "run-1") is not None
    intend(ledger, claim(per_run=1))
    kinds = [record.kind for record in read_ledger(ledger)]
    assert kinds == ["run_started", "claimed", "needs_attention", "resolved", "claimed"]


def test_nobody_knows_and_the_run_goes_on(ledger: Ledger, doubtful: str) -> None:
    resolve_call(ledger, "run-1", None, "failed", by="alice", reason="books are closed")
    outcome = outcomes_of(ledger, "run-1")["call-1"]
    assert isinstance(outcome, Refusal)
    assert outcome.code == "AR407"


@pytest.mark.parametrize(
    ("call", "answer", "message"),
    [
        ("call-9", {"id": "R-1"}, "call `call-9` of run `run-1` is not in doubt"),
        (None, {"id": 7}, "--answer is none that `desk.refund` gives: at `id`"),
        (None, None, "--answer is none that"),
    ],
)
def test_what_can_not_be_resolved(
    ledger: Ledger, doubtful: str, call: str | None, answer: object, message: str
) -> None:
    with pytest.raises(OperationError, match=message):
        resolve_call(ledger, "run-1", call, "done", by="alice", reason="", answer=answer)
    assert view(ledger)[0] == "needs_attention"
    assert outcomes_of(ledger, "run-1") == {}


def test_only_a_run_that_needs_attention_is_resolved(ledger: Ledger, running: str, claim: Claims) -> None:
    intend(ledger, claim())
    with pytest.raises(OperationError, match="does not need attention: it is running"):
        resolve_call(ledger, "run-1", None, "failed", by="alice", reason="")


# --- erasure -------------------------------------------------------------------------------------------


def over(ledger: Ledger, run_id: str, customer: str, claim: Claims) -> None:
    """A run that has ended, and has a person's address in every place."""
    about = {"customer": customer, "mail": SECRET}
    create_run(ledger, bundle(), run_id, environment="local", input=about, session=about, handed=True)
    intend(ledger, claim(run_id=run_id, arguments=about))
    with ledger.transaction() as within:
        settle_call(
            within, run_id, "call-1", Returned(status=200, value=about, label=bundle_label(), seconds=0.1)
        )
        end_run(within, run_id, "failed", about, Refusal(code="AR505", message=SECRET))
    ledger.record(run_id, "refused", about)


def bundle_label() -> object:
    from agentc_runtime.labels import Label

    return Label()


def everything(ledger: Ledger, url: str) -> str:
    tables = ("runs", "steps", "calls", "audit", "approvals", "refused_calls", "run_events", "durable_runs")
    with ledger.transaction() as within:
        return repr([within.execute(f"SELECT * FROM {table}").fetchall() for table in tables])


def test_a_person_is_forgotten_and_the_log_still_verifies(url: str, ledger: Ledger, claim: Claims) -> None:
    over(ledger, "run-1", "C-1", claim)
    over(ledger, "run-2", "C-2", claim)
    create_run(
        ledger, bundle(), "run-3", environment="local", input={}, session={"customer": "C-1"}, handed=True
    )

    def wanted(given: object, session: object) -> bool:
        return isinstance(session, dict) and session["customer"] == "C-1"

    assert find_runs(ledger, wanted=wanted) == (["run-1"], ["run-3"])
    assert not erase_run(ledger, "run-3", by="alice", reason="asked to")
    assert erase_run(ledger, "run-1", by="alice", reason="asked to")
    assert erase_run(ledger, "run-2", by="alice", reason="asked to")
    assert SECRET not in everything(ledger, url)
    assert verify_ledger(ledger).ok
    if "://" not in url:
        assert verify_audit(Path(url)).ok
        ledger.scrub()
        assert SECRET.encode() not in b"".join(p.read_bytes() for p in Path(url).parent.glob("runs.db*"))
    found = find_run(ledger, "run-1")
    assert found is not None
    assert (found.run.status, found.run.output, found.run.refusal) == ("failed", None, None)
    # once is enough
    assert not erase_run(ledger, "run-1", by="alice", reason="again")
    assert find_runs(ledger, wanted=lambda given, session: True) == ([], ["run-3"])


def test_runs_are_erased_by_age(ledger: Ledger, claim: Claims) -> None:
    over(ledger, "run-1", "C-1", claim)
    assert find_runs(ledger, older_than=timedelta(days=1)) == ([], [])
    assert find_runs(ledger, older_than=timedelta(0)) == (["run-1"], [])


# --- runs that end whoever carries them out ------------------------------------------------------------


def test_a_run_that_ends_its_processes_is_not_run_for_ever(ledger: Ledger, running: str) -> None:
    """Each of them takes it up and is gone. It goes on when an operator says so, and then as often again."""
    for _ in range(2):
        taken = [begin_run(ledger, running) is not None for _ in range(MOST_DEATHS)]
        assert taken == [True] * (MOST_DEATHS - 1) + [False]
        found = find_run(ledger, running)
        assert found is not None
        assert found.run.status == "needs_attention"
        assert found.run.why.startswith("10 processes died or were stopped while they carried it out")
        assert begin_run(ledger, running) is None
        queue_run(ledger, running, handed=True)
        assert begin_run(ledger, running) is not None
    assert verify_ledger(ledger).ok


def test_a_run_that_gets_further_may_lose_as_many_processes_as_there_are(
    ledger: Ledger, running: str
) -> None:
    for number in range(3 * MOST_DEATHS):
        assert begin_run(ledger, running) is not None
        with ledger.transaction() as within:
            keep_turns(within, running, [(f"turn-{number}", "{}")])


# --- bundles -------------------------------------------------------------------------------------------


def test_a_bundle_in_use_is_kept(ledger: Ledger, running: str) -> None:
    digest = bundle().digest
    assert collect_bundles(ledger) == []
    with pytest.raises(StoreError), ledger.transaction() as within:
        within.execute("DELETE FROM bundles WHERE digest = ?", (digest,))
    assert stored_bundle(ledger, digest).digest == digest
    cancel_run(ledger, "run-1", by="alice", reason="")
    assert collect_bundles(ledger) == [digest]
    with pytest.raises(StoreError, match="is not in the store"):
        stored_bundle(ledger, digest)
