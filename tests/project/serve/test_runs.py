"""Runs over HTTP: begun, read, followed, decided, gone on with."""

from __future__ import annotations

import json
import time

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
PLAIN = {"agent": "triage", "input": {"ticket_id": "T-1001"}, "session": {"customer_id": "C-17"}}


def test_a_run_from_its_begin_over_a_decision_to_its_end(service, helpdesk):
    with service.client("ana") as ana, service.client("lee") as lee:
        begun = ana.post("/v1/runs", json=INJECTED, params={"wait": 20})
        assert begun.status_code == 202, begun.text
        assert begun.json()["status"] == "waiting"
        assert "`helpdesk.refund` needs an approval" in begun.json()["why"]

        (asked,) = lee.get("/v1/approvals").json()["approvals"]
        assert (asked["tool"], asked["by"]) == ("helpdesk.refund", ["support-leads"])
        assert asked["arguments"] == {"amount": 50, "currency": "EUR", "ticket_id": "T-1002"}
        assert asked["preview"].startswith("POST ")
        answer = {"decision": "reject", "reason": "A ticket is no order."}
        decided = lee.post(f"/v1/approvals/{asked['approval_id']}/decision", json=answer)
        assert (decided.status_code, decided.json()["decided_by"]) == (200, "lee (acme)")
        again = lee.post(f"/v1/approvals/{asked['approval_id']}/decision", json={"decision": "approve"})
        assert again.status_code == 409

        run = ended(ana, begun.json()["run_id"])
        assert (run["status"], run["output"]["outcome"]) == ("succeeded", "escalated")
        assert [step["state"] for step in run["steps"]] == ["resolve", "decide", "escalate", "escalated"]
        assert [call["tool"] for call in run["calls"]] == ["helpdesk.get_ticket", "helpdesk.escalate"]
        assert [one["run_id"] for one in ana.get("/v1/runs").json()["runs"]] == [run["run_id"]]
    assert len(helpdesk.effects) == 1


def test_what_happens_is_streamed_and_resumed(shared):
    with shared.client("ana") as ana, shared.client("lee") as lee:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        decide_all(lee, "reject")
        events = list(stream(ana, run))
        assert [number for number, _ in events] == list(range(1, len(events) + 1))
        kinds = [event["event"] for _, event in events]
        assert (kinds[0], kinds[-1]) == ("run_started", "run_ended"), events[-3:]
        assert kinds.count("tool_refused") == 5
        assert list(stream(ana, run, after=len(events) - 2)) == events[-2:]


def test_an_approval_of_less(shared, helpdesk):
    with shared.client("ana") as ana, shared.client("lee") as lee:
        ana.post("/v1/runs", json=INJECTED, params={"wait": 20})
        (asked,) = lee.get("/v1/approvals").json()["approvals"]
        path = f"/v1/approvals/{asked['approval_id']}/decision"
        more = lee.post(path, json={"decision": "approve", "arguments": {**asked["arguments"], "amount": 51}})
        assert (more.status_code, "`amount` is not narrower" in more.json()["detail"]) == (409, True)
        less = lee.post(path, json={"decision": "approve", "arguments": {**asked["arguments"], "amount": 5}})
        assert less.status_code == 200
        ended(ana, asked["run_id"])
    assert [effect["amount"] for effect in helpdesk.effects if "amount" in effect] == [5]


def test_the_same_key_begins_one_run(shared):
    with shared.client("ana") as ana, shared.client("ben") as ben:
        headers = {"Idempotency-Key": "order-7"}
        first = ana.post("/v1/runs", json=INJECTED, headers=headers).json()["run_id"]
        assert ana.post("/v1/runs", json=INJECTED, headers=headers).json()["run_id"] == first
        other = ana.post("/v1/runs", json=PLAIN, headers=headers)
        assert (other.status_code, other.json()["detail"]) == (
            409, "the idempotency key was used for another request",
        )  # fmt: skip
        assert ben.post("/v1/runs", json=INJECTED, headers=headers).json()["run_id"] != first


def test_a_session_says_whom_runs_are_for(shared):
    with shared.client("ana") as ana, shared.client("zoe") as zoe:
        made = ana.post("/v1/sessions", json={"agent": "triage", "data": {"customer_id": "C-17"}})
        assert made.status_code == 201
        session = made.json()["id"]
        begun = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session_id": session}
        assert ana.post("/v1/runs", json=begun).status_code == 202
        both = ana.post("/v1/runs", json={**begun, "session": {"customer_id": "C-99"}})
        assert (both.status_code, both.json()["detail"]) == (422, "give `session` or `session_id`, not both")
        assert zoe.post("/v1/runs", json=begun).status_code == 404
        assert zoe.delete(f"/v1/sessions/{session}").status_code == 404
        assert ana.delete(f"/v1/sessions/{session}").status_code == 204
        assert ana.post("/v1/runs", json=begun).status_code == 404


def test_unfit_input_is_told_by_its_rule(shared):
    with shared.client("ana") as ana:
        answer = ana.post("/v1/runs", json={**INJECTED, "input": {"ticket_id": "../admin"}})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code == 422
        assert answer.json()["code"] == "AR505"
        assert "ticket_id" in answer.json()["detail"]
        unknown = ana.post("/v1/runs", json={**INJECTED, "agent": "triag"})
        assert (unknown.status_code, unknown.json()["detail"]) == (404, "no agent `triag` here")


def test_runs_and_questions_go_on_in_the_next_process(serve, helpdesk):
    first = serve()
    with first.client("ana") as ana:
        runs = [ana.post("/v1/runs", json=INJECTED).json()["run_id"] for _ in range(3)]
    first.process.kill()
    first.process.wait()
    with (second := serve(first.folder)).client("ana") as ana, second.client("lee") as lee:
        while any(ana.get(f"/v1/runs/{run}").json()["status"] != "waiting" for run in runs):
            time.sleep(0.1)
        decide_all(lee, "reject")
        assert [ended(ana, run)["status"] for run in runs] == ["succeeded"] * 3
        assert [event["event"] for _, event in stream(ana, runs[0])][-1] == "run_ended"
    assert len(helpdesk.effects) == 3


def test_it_ends_in_order(service):
    with service.client("ana") as ana:
        assert ana.post("/v1/runs", json=INJECTED).status_code == 202
    assert service.stop() == 0


def decide_all(client, decision):
    """Decide everything that waits for the client."""
    for asked in client.get("/v1/approvals").json()["approvals"]:
        path = f"/v1/approvals/{asked['approval_id']}/decision"
        assert client.post(path, json={"decision": decision}).status_code == 200


def ended(client, run):
    """The run, once it is over."""
    for _ in range(400):
        found = client.get(f"/v1/runs/{run}").json()
        if found["ended"] is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def stream(client, run, after=0):
    """The events of a run with their numbers, until it is over."""
    with client.stream("GET", f"/v1/runs/{run}/events", headers={"Last-Event-ID": str(after)}) as answer:
        assert answer.status_code == 200, answer.read()
        number = 0
        for line in answer.iter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: ") and line != "data: {}":
                yield number, json.loads(line[6:])


def test_what_operators_disable_in_the_store_stops_runs(service, agentc):
    """From the next call on, without a restart and with nothing configured."""
    control = ("--control", f"sqlite:///{service.folder / '.agentc/service.db'}")
    agentc("disable", "tool", "helpdesk.get_ticket", "--reason", "it leaks", "--by", "eve", *control)
    time.sleep(0.3)
    with service.client("ana") as ana:
        begun = ana.post("/v1/runs", json=PLAIN, params={"wait": 20})
        run = begun.json()["run_id"]
        refused = [event for _, event in stream(ana, run) if event["event"] == "tool_refused"]
        assert refused[0]["refusal"]["code"] == "AR520"
        assert refused[0]["refusal"]["message"] == "`helpdesk.get_ticket` is disabled by eve: it leaks"
        agentc("disable", "agent", "triage", "--reason", "it leaks more", *control)
        time.sleep(0.3)
        stopped = ended(ana, ana.post("/v1/runs", json=PLAIN).json()["run_id"])
        # its workflow has a way out of refusals, which calls nothing either
        assert (stopped["output"]["outcome"], stopped["calls"]) == ("stuck", [])
