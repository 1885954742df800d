"""An agent runs against a mock of its service; requests that break the document are refused."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
JSON = {"content-type": "application/json"}
TOKEN = {"authorization": "Bearer demo-token"}


@pytest.fixture(scope="module")
def mock(agentc: Any) -> Iterator[Any]:
    process = agentc.start("mock", "helpdesk", "--project", ROOT / "specs/support", stdin=subprocess.DEVNULL)
    process.url = process.stdout.readline().strip()
    yield process
    process.send_signal(signal.SIGINT)
    said, wrong = process.communicate(timeout=20)
    assert (process.returncode, wrong) == (0, ""), said
    assert "demo-token" not in said


def test_an_agent_runs_against_the_mock(
    agentc: Any, mock: Any, provider: Any, kit: Any, ticket: Any, tmp_path: Path
) -> None:
    with provider("triage") as model:
        port = int(mock.url.rpartition(":")[2])
        project = kit.redirected(ROOT / "specs/support", tmp_path / "p", "HELPDESK_URL", port, model.port)
        kit.model_on_loopback(project, model.url)
        done = agentc(
            "run", project, *ticket("T-1001"), "--no-store", stdin="y\ny\n",
            environment={"OPENAI_API_KEY": "key-of-openai", "ANTHROPIC_API_KEY": "key-of-anthropic"},
        )  # fmt: skip
    assert json.loads(done.stdout)["outcome"] == "refunded"
    seen = [mock.stdout.readline().strip() for _ in range(3)]
    assert seen == [
        "GET /tickets/T-1001 200 getTicket",
        "POST /refunds 201 createRefund",
        "POST /tickets/T-1001/replies 201 createReply",
    ]


def test_requests_are_checked_and_answers_are_steady(mock: Any) -> None:
    with httpx.Client(base_url=mock.url, headers=TOKEN) as client:
        first = client.get("/tickets", params={"customer_id": "C-17"})
        assert first.status_code == 200
        assert first.json()["tickets"][0]["status"] in ("open", "waiting", "closed")
        assert client.get("/tickets", params={"customer_id": "C-17"}).content == first.content
        refund = {"ticket_id": "T-1", "amount": 0, "currency": "EUR"}
        for response, reason in (
            (client.get("/tickets", params={"customer_id": "seventeen"}), "customer_id"),
            (client.get("/tickets"), "customer_id"),
            (client.get("/tickets/x"), "ticket_id"),
            (client.post("/refunds", json=refund), "minimum"),
            (client.post("/refunds", content=b"{", headers=JSON), "body"),
            (client.post("/refunds", content=b"[" * 100_000, headers=JSON), "can't be read"),
            (client.post("/refunds", content=b"\xff", headers=JSON), "can't be read"),
            (client.get("/tickets/T-1", headers={"authorization": ""}), "ecurity"),
        ):
            assert response.status_code == 400, response.text
            assert reason in response.json()["error"]
        assert client.delete("/refunds/R-1").status_code == 204
        assert client.get("/nothing").status_code == 404
        assert client.post("/tickets").status_code == 405


def test_only_this_machine_by_its_own_name_is_answered(mock: Any) -> None:
    with httpx.Client(base_url=mock.url, headers=TOKEN) as client:
        assert client.get("/tickets/T-1", headers={"host": "evil.example"}).status_code == 421
        assert client.get("/tickets/T-1%1B[31m").status_code == 400
        assert client.post("/refunds", content=iter([b"x"])).status_code == 411
    host = mock.url.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), timeout=10) as raw:
        raw.sendall(f"POST /refunds HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999\r\n\r\n".encode())
        assert b" 413 " in raw.recv(200)


def test_what_can_not_be_served_is_said(agentc: Any) -> None:
    done = agentc("mock", "helpdsk", "--project", ROOT / "specs/support", code=2)
    assert "no toolset `helpdsk`" in done.stderr
    assert "helpdesk" in done.stderr


def test_a_document_of_several_files_is_served(agentc: Any, tmp_path: Path) -> None:
    vendor, project = tmp_path / "vendor", tmp_path / "desk"
    (vendor / "parts").mkdir(parents=True)
    (vendor / "api.yaml").write_text(
        "openapi: 3.0.3\ninfo: { title: Parks, version: 1.0.0 }\n"
        "servers: [{ url: https://parks.example.com }]\n"
        "paths: { '/parks/{id}': { get: { $ref: parts/get.yaml } } }\n"
    )
    (vendor / "parts/get.yaml").write_text(
        "operationId: getPark\n"
        "parameters: [{ name: id, in: path, required: true, schema: { $ref: id.yaml } }]\n"
        "responses: { '200': { description: it, content: { application/json: "
        "{ schema: { $ref: id.yaml } } } } }\n"
    )
    (vendor / "parts/id.yaml").write_text("{ type: integer, minimum: 3 }\n")
    agentc("init", project)
    (project / "parks.yaml").write_text(
        "apiVersion: agentc/v1\nkind: Toolset\nmetadata: { name: parks, version: 1.0.0, owner: me }\n"
        "spec: { openapi: { file: parks/api.yaml }, tools: { get: { operation: getPark, effect: read } } }\n"
    )
    agentc("import", "openapi", vendor / "api.yaml", "--project", project, "--toolset", "parks")
    process = agentc.start("mock", "parks", "--project", project, stdin=subprocess.DEVNULL)
    with httpx.Client(base_url=process.stdout.readline().strip()) as client:
        assert client.get("/parks/5").json() >= 3
        assert client.get("/parks/2").status_code == 400
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
