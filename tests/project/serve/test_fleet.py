"""Two services on one store in PostgreSQL: what one begins the other shows, decides and ends."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
PLAIN = {"agent": "triage", "input": {"ticket_id": "T-1003"}, "session": {"customer_id": "C-17"}}


@pytest.fixture
def pair(serve, kit):
    """Two services that share a store."""
    support = kit.load(kit.root / "tests/support/postgres.py")
    with support.server() as database:
        first = serve(more=f"  store: {json.dumps(support.emptied(database))}\n")
        second = serve(first.folder)
        yield first, second
        assert [first.stop(), second.stop()] == [0, 0]


def events(client, run):
    """What happened in a run, once it is over, as it was streamed."""
    with client.stream("GET", f"/v1/runs/{run}/events") as answer:
        lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_it_does_not_matter_which_of_them_is_asked(pair, helpdesk):
    first, second = pair
    with first.client("ana") as here, second.client("ana") as there, second.client("sam") as sam:
        run = here.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        (asked,) = sam.get("/v1/approvals").json()["approvals"]
        answer = {"decision": "reject", "reason": "A ticket is no order."}
        assert sam.post(f"/v1/approvals/{asked['approval_id']}/decision", json=answer).status_code == 200
        followed = events(there, run)
        assert followed == events(here, run)
        assert (followed[0]["event"], followed[-2]["event"]) == ("run_started", "run_ended")
        assert there.get(f"/v1/runs/{run}").json()["output"]["outcome"] == "escalated"
        assert len(helpdesk.effects) == 1

        with ThreadPoolExecutor(8) as pool:
            same = {"json": PLAIN, "headers": {"Idempotency-Key": "order-7"}}
            begun = list(pool.map(lambda client: client.post("/v1/runs", **same), [here, there] * 4))
        assert {answer.status_code for answer in begun} <= {201, 202}, "over by then, or not"
        assert len({answer.json()["run_id"] for answer in begun}) == 1

        waiting = here.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        assert sam.post(f"/v1/runs/{waiting}/cancel", json={"reason": "wrong"}).status_code == 200
        assert here.get(f"/v1/runs/{waiting}").json()["status"] == "cancelled"
        assert sam.get("/v1/audit/verify").json()["ok"]
