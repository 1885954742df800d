"""What operators and auditors do over HTTP: cancel, resolve, read and verify what was recorded."""

from __future__ import annotations

import json
import re
import socket
import time

import httpx

from agentc_runtime.store import Store

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_cancelled_run_does_nothing_more(service, helpdesk):
    with service.client("ana") as ana, service.client("ops") as ops, service.client("lee") as lee:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        (asked,) = lee.get("/v1/approvals").json()["approvals"]
        cancelled = ops.post(f"/v1/runs/{run}/cancel", json={"reason": "wrong ticket"})
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        again = ops.post(f"/v1/runs/{run}/cancel", json={"reason": "wrong ticket"})
        assert (again.status_code, again.json()["detail"]) == (409, f"run `{run}` is over: cancelled")
        late = lee.post(f"/v1/approvals/{asked['approval_id']}/decision", json={"decision": "approve"})
        assert (late.status_code, "is void" in late.json()["detail"]) == (409, True)
    with service.client("eve") as eve:
        (ended,) = eve.get("/v1/audit", params={"run": run, "kind": "run_ended"}).json()["records"]
        assert (ended["payload"]["by"], ended["payload"]["reason"]) == ("ops (acme)", "wrong ticket")
    assert helpdesk.effects == []


def test_a_call_in_doubt_is_resolved(serve):
    """A process died between a call and its answer: an operator has looked up what became of it."""
    first = serve()
    with first.client("ana") as ana:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
    first.process.kill()
    store = Store(first.folder / ".agentc/service.db")
    with store.transaction() as within:
        tool = "helpdesk.get_ticket"
        (outcome,) = within.execute("SELECT outcome FROM calls WHERE tool = ?", (tool,)).fetchone()
        within.execute("UPDATE calls SET settled = NULL, outcome = NULL WHERE tool = ?", (tool,))
        within.execute("UPDATE runs SET status = 'needs_attention'")
    store.close()
    with (service := serve(first.folder)).client("ops") as ops:
        body = {"resolution": "done", "reason": "it was read", "answer": "not a ticket"}
        unfit = ops.post(f"/v1/runs/{run}/resolve", json=body)
        assert (unfit.status_code, "helpdesk.get_ticket" in unfit.json()["detail"]) == (409, True)
        body["answer"] = json.loads(outcome)["value"]
        resolved = ops.post(f"/v1/runs/{run}/resolve", json=body)
        assert resolved.status_code == 200, resolved.text
        assert ops.post(f"/v1/runs/{run}/resolve", json=body).status_code == 409
        for _ in range(200):
            if (status := ops.get(f"/v1/runs/{run}").json()["status"]) == "waiting":
                break
            time.sleep(0.05)
        assert status == "waiting"
    with service.client("eve") as eve:
        (said,) = eve.get("/v1/audit", params={"kind": "resolved"}).json()["records"]
        assert said["payload"]["by"] == "ops (acme)"


def test_auditors_read_their_tenants_records_and_verify_the_log(service):
    with service.client("ana") as ana, service.client("zoe") as zoe, service.client("eve") as eve:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        other = zoe.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        records = eve.get("/v1/audit").json()["records"]
        assert {record["run_id"] for record in records} == {run}
        assert (records[0]["kind"], records[-1]["kind"]) == ("run_started", "approval_asked")
        rest = eve.get("/v1/audit", params={"after": records[0]["seq"], "limit": 2}).json()["records"]
        assert rest == records[1:3]
        assert {record["run_id"] for record in zoe.get("/v1/audit").json()["records"]} == {other}

        begun, rest = records[0]["time"], {"agent": "triage", "limit": 1}
        (first,) = eve.get("/v1/audit", params={"since": begun, **rest}).json()["records"]
        assert first == records[0]
        assert eve.get("/v1/audit", params={"until": begun, **rest}).json()["records"] == []
        assert eve.get("/v1/audit", params={"since": "2999-01-01T00:00:00Z"}).json()["records"] == []
        assert eve.get("/v1/audit", params={"agent": "other"}).json()["records"] == []
        assert eve.get("/v1/audit", params={"since": "yesterday"}).status_code == 422

        found = eve.get("/v1/audit/verify").json()
        assert (found["ok"], found["problem"]) == (True, None)
        assert eve.get("/v1/audit/verify", params={"head": found["head"]}).json()["ok"]
        assert not eve.get("/v1/audit/verify", params={"head": "0" * 64}).json()["ok"]
        store = Store(service.folder / ".agentc/service.db")
        with store.transaction() as within:
            within.execute("UPDATE audit SET kind = 'call_claimed' WHERE seq = 1")
        store.close()
        changed = eve.get("/v1/audit/verify").json()
        assert (changed["ok"], changed["at_seq"]) == (False, 1)
        assert changed["problem"] == "record 1 was changed, or one before it was removed"


def test_what_a_person_did_is_found(shared):
    with shared.client("ana") as ana, shared.client("lee") as lee, shared.client("eve") as eve:
        for _ in range(2):
            ana.post("/v1/runs", json=INJECTED, params={"wait": 20})
        first, second = lee.get("/v1/approvals").json()["approvals"]
        forged = 'it says "by":"ana (x)"'
        for asked, reason in ((first, "no"), (second, forged)):
            answer = {"decision": "reject", "reason": reason}
            lee.post(f"/v1/approvals/{asked['approval_id']}/decision", json=answer)

        def kinds(name):
            records = eve.get("/v1/audit", params={"by": name}).json()["records"]
            return [record["kind"] for record in records]

        assert kinds("ana") == ["run_started"] * 2
        assert kinds("lee") == ["approval_decided"] * 2
        for nobody in ("ben", "%", "l_e", "e", "lee (", '"', "x' OR 1=1 --", "\\"):
            assert kinds(nobody) == [], nobody
        assert eve.get("/v1/audit", params={"by": ""}).status_code == 422


def test_who_is_forgotten_is_forgotten_by_the_service_as_well(service, agentc):
    with service.client("ana") as ana, service.client("ops") as ops:
        ids = {}
        for customer in ("C-8817", "C-18"):
            body = {"agent": "triage", "data": {"customer_id": customer}}
            session = ids[customer] = ana.post("/v1/sessions", json=body).json()["id"]
            body = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session_id": session}
            run = ana.post("/v1/runs", json=body, params={"wait": 20}, headers={"idempotency-key": customer})
            ops.post(f"/v1/runs/{run.json()['run_id']}/cancel", json={"reason": "enough"})
        time.sleep(1.1)  # sessions are timed to the second
    assert service.stop() == 0

    path = service.folder / ".agentc/service.db"
    said = agentc(
        "runs", "erase", "--where", "session.customer_id=C-8817", "--reason", "asked", "--store", path
    )
    assert "1 session erased" in said.stdout
    store = Store(path)
    with store.transaction() as within:
        events = within.execute("SELECT run_id, event FROM served_events").fetchall()
        runs = within.execute("SELECT session_id, idempotency_key FROM served_runs ORDER BY 2").fetchall()
        sessions = within.execute("SELECT session_id FROM served_sessions").fetchall()
    store.close()
    assert len({run for run, _ in events}) == 1
    assert not any("C-8817" in event for _, event in events)
    assert set(runs) == {(None, None), (ids["C-18"], "C-18")}
    assert sessions == [(ids["C-18"],)]
    assert b"C-8817" not in b"".join(file.read_bytes() for file in path.parent.glob("service.db*"))
    agentc("audit", "verify", "--store", path)


def test_runs_are_measured_and_are_part_of_their_callers_traces(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = serve(
        arguments=("--log-format", "json"),
        environment={
            "OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
            "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none",
        },
    )  # fmt: skip
    with service.client("ana") as ana:
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        ana.post("/v1/runs", json=INJECTED, params={"wait": 20}, headers=headers)
        page = httpx.get(f"http://localhost:{port}/metrics", trust_env=False).text
    assert re.search(r'^agentc_tool_calls_total\{.*agentc_outcome="returned".*\} 1', page, re.M), page
    assert re.search(r"^agentc_approvals_waiting\{.*} 1.0$", page, re.M)
    assert service.stop() == 0
    lines = [json.loads(line) for line in service.said().splitlines() if line.startswith("{")]
    assert {line["trace_id"] for line in lines} == {TRACE}
