"""Clients that read nothing, and runs that are under way when the service is told to end."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from agentc_runtime.durable.views import find_run
from agentc_runtime.store import Store

RUN = {"agent": "triage", "input": {"ticket_id": "T-1003"}, "session": {"customer_id": "C-17"}}
#: Events of one run, and the characters of each: 40 MB, for every client that asks.
EVENTS, SIZE, CLIENTS = 10_000, 4000, 20
MB = 1024 * 1024


def test_clients_that_read_nothing_cost_little_and_hold_up_nobody(service):
    with service.client("zoe") as zoe:
        run = zoe.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
        time.sleep(0.3)
        store = Store(service.folder / ".agentc/service.db")
        with store.transaction() as within:
            within.execute("DELETE FROM served_events")
            text = json.dumps({"event": "said", "text": "x" * SIZE})
            for number in range(1, EVENTS + 1):
                within.execute(
                    "INSERT INTO served_events VALUES (?, ?, '2026-01-01', ?)", (run, number, text)
                )
        store.close()
        before = resident(service.process.pid)
        host, port = service.url.removeprefix("http://").split(":")
        key = f"Authorization: Bearer {service.keys['zoe']}"
        asked = f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: x\r\n{key}\r\n\r\n"
        clients = [socket.create_connection((host, int(port)), timeout=10) for _ in range(CLIENTS)]
        try:
            for client in clients:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(asked.encode())
            time.sleep(1.5)
            # what one batch of each takes, and not what the run has
            assert resident(service.process.pid) - before < CLIENTS * 5 * MB
            assert zoe.post("/v1/runs", json=RUN, params={"wait": 20}).json()["status"] == "succeeded"
        finally:
            for client in clients:
                client.close()
        headers = {"last-event-id": str(EVENTS - 2)}
        with zoe.stream("GET", f"/v1/runs/{run}/events", headers=headers) as answer:
            numbers = [line for line in answer.iter_lines() if line.startswith("id: ")]
        assert numbers == [f"id: {EVENTS - 1}", f"id: {EVENTS}"]


def test_runs_that_are_under_way_are_finished_and_no_new_ones_begun(service, talker, monkeypatch):
    quick = talker.next_turn

    def slowly(seen):
        time.sleep(0.3)
        return quick(seen)

    monkeypatch.setattr(talker, "next_turn", slowly)
    with service.client("zoe") as zoe:
        runs = [zoe.post("/v1/runs", json=RUN).json()["run_id"] for _ in range(3)]
        service.process.terminate()
        time.sleep(0.2)
        with pytest.raises(httpx.TransportError):
            zoe.post("/v1/runs", json=RUN)
    assert service.process.wait(30) == 0
    store = Store(service.folder / ".agentc/service.db")
    assert [find_run(store, run).run.status for run in runs] == ["succeeded"] * 3
    store.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_end_while_it_begins_ends(serve, how):
    service = serve(until_ready=False)
    assert service.stop(how) == 0


def test_a_run_that_is_cancelled_while_it_waits_for_its_turn_asks_nobody(serve, talker, monkeypatch):
    service = serve(more="  limits: { runs: 1 }\n")
    quick = talker.next_turn

    def slowly(seen):
        time.sleep(0.5)
        return quick(seen)

    monkeypatch.setattr(talker, "next_turn", slowly)
    with service.client("zoe") as zoe:
        first = zoe.post("/v1/runs", json=RUN).json()["run_id"]
        second = zoe.post("/v1/runs", json={**RUN, "input": {"ticket_id": "T-1001"}}).json()["run_id"]
        assert zoe.post(f"/v1/runs/{second}/cancel", json={"reason": "no more"}).status_code == 200
        for _ in range(200):
            if zoe.get(f"/v1/runs/{first}").json()["ended"]:
                break
            time.sleep(0.05)
        time.sleep(0.5)
        assert zoe.get(f"/v1/runs/{second}").json()["status"] == "cancelled"
    asked = [json.dumps(seen.body) for seen in talker.requests[-20:]]
    assert any("T-1003" in text for text in asked)
    assert not any("T-1001" in text for text in asked)


def resident(pid):
    """The bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
