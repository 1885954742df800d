"""Approvals that wait: decided once, in time, by who may, for the request that was shown."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from agentc_runtime.calls import ApprovalRequest, Parked
from agentc_runtime.durable.approvals import (
    DecisionError,
    consult,
    decide,
    expire_approvals,
    find_approval,
    list_approvals,
)
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.runs import park_run
from agentc_runtime.durable.views import find_run
from agentc_runtime.ledger import Ledger

Asked = Callable[..., ApprovalRequest]


def ask(ledger: Ledger, request: ApprovalRequest) -> str:
    """Ask, which stops the run; the approval's id."""
    with pytest.raises(Parked) as parked:
        consult(ledger, "triage", request)
    park_run(ledger, request.run_id, parked.value, 0)
    return list_approvals(ledger)[0].approval_id


def status(ledger: Ledger) -> str:
    found = find_run(ledger, "run-1")
    assert found is not None
    return found.run.status


def kinds(ledger: Ledger) -> list[str]:
    with ledger.transaction() as within:
        return [str(row[0]) for row in within.execute("SELECT kind FROM audit ORDER BY seq").fetchall()]


def test_a_question_waits_until_somebody_decides(ledger: Ledger, running: str, a_request: Asked) -> None:
    approval = ask(ledger, a_request())
    assert status(ledger) == "waiting"
    # run again, as after a restart, it is the same question
    with pytest.raises(Parked):
        consult(ledger, "triage", a_request())
    assert [one.approval_id for one in list_approvals(ledger)] == [approval]
    decided = decide(ledger, approval, approved=True, by="alice", group="leads", reason="it broke")
    assert (decided.status, decided.decided_by, decided.decided_for) == ("approved", "alice", "leads")
    assert status(ledger) == "queued"
    decision = consult(ledger, "triage", a_request())
    assert (decision.approved, decision.by, decision.reason) == (True, "alice", "it broke")
    assert kinds(ledger) == ["run_started", "approval_asked", "approval_decided"]


def test_a_decision_is_taken_once(url: str, ledger: Ledger, running: str, a_request: Asked) -> None:
    approval = ask(ledger, a_request())
    taken: list[str] = []
    refused: list[str] = []

    def person(name: str) -> None:
        mine = open_ledger(url)
        try:
            decide(mine, approval, approved=name == "p1", by=name, group="leads")
            taken.append(name)
        except DecisionError as error:
            refused.append(str(error))
        finally:
            mine.close()

    people = [threading.Thread(target=person, args=(f"p{n}",)) for n in range(5)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert len(taken) == 1
    assert len(refused) == 4
    assert all("is not decided again" in text for text in refused)
    assert find_approval(ledger, approval).decided_by == taken[0]
    assert kinds(ledger).count("approval_decided") == 1


@pytest.mark.parametrize("group", [None, "sales"])
def test_only_a_group_that_may_decides(
    ledger: Ledger, running: str, a_request: Asked, group: str | None
) -> None:
    approval = ask(ledger, a_request())
    with pytest.raises(DecisionError, match="is for `leads` to decide"):
        decide(ledger, approval, approved=True, by="mallory", group=group)
    assert find_approval(ledger, approval).status == "pending"
    assert status(ledger) == "waiting"


def test_a_request_that_has_changed_is_another_question(
    ledger: Ledger, running: str, a_request: Asked
) -> None:
    first = ask(ledger, a_request())
    changed = a_request(digest="ef" * 32, arguments={"amount": 50, "lines": []})
    with pytest.raises(Parked):
        consult(ledger, "triage", changed)
    assert find_approval(ledger, first).status == "void"
    with pytest.raises(DecisionError, match="is void"):
        decide(ledger, first, approved=True, by="alice", group="leads")
    with pytest.raises(Parked):
        consult(ledger, "triage", changed)
    (second,) = list_approvals(ledger)
    decide(ledger, second.approval_id, approved=True, by="alice", group="leads")
    assert consult(ledger, "triage", changed).approved
    # and what was approved is not what was shown first
    with pytest.raises(Parked):
        consult(ledger, "triage", a_request())


def test_nobody_decides_in_time(ledger: Ledger, running: str, a_request: Asked) -> None:
    request = a_request(expires_ms=0)
    approval = ask(ledger, request)
    with pytest.raises(DecisionError, match="expired at"):
        decide(ledger, approval, approved=True, by="alice", group="leads")
    assert status(ledger) == "queued"
    with pytest.raises(TimeoutError):
        consult(ledger, "triage", request)
    with pytest.raises(DecisionError, match="is expired"):
        decide(ledger, approval, approved=True, by="alice", group="leads")
    assert kinds(ledger)[-1] == "approval_decided"


def test_expiry_lets_the_run_go_on(ledger: Ledger, running: str, a_request: Asked) -> None:
    approval = ask(ledger, a_request(expires_ms=0))
    assert expire_approvals(ledger) == 1
    assert expire_approvals(ledger) == 0
    assert find_approval(ledger, approval).status == "expired"
    assert status(ledger) == "queued"


def test_a_decision_while_the_run_is_about_to_stop_is_not_lost(
    ledger: Ledger, running: str, a_request: Asked
) -> None:
    with pytest.raises(Parked) as parked:
        consult(ledger, "triage", a_request())
    (approval,) = list_approvals(ledger)
    decide(ledger, approval.approval_id, approved=True, by="alice", group="leads")
    park_run(ledger, "run-1", parked.value, 0)
    assert status(ledger) == "queued"


def test_a_narrower_call_is_approved_and_no_other(ledger: Ledger, running: str, a_request: Asked) -> None:
    approval = ask(ledger, a_request())
    wider = {"amount": 21, "lines": ["a"]}
    with pytest.raises(DecisionError, match="`amount` is not narrower"):
        decide(ledger, approval, approved=True, by="alice", group="leads", arguments=wider)
    narrower = {"amount": 5, "lines": ["b"]}
    decide(ledger, approval, approved=True, by="alice", group="leads", arguments=narrower)
    assert consult(ledger, "triage", a_request()).arguments == narrower


def test_there_is_no_such_approval(ledger: Ledger) -> None:
    with pytest.raises(DecisionError, match="no approval `none`"):
        decide(ledger, "none", approved=True, by="alice", group=None)
    assert list_approvals(ledger) == ()
