"""Agents as tools of the Model Context Protocol, reached by its official client."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import httpx2
import pytest
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

ASK = {"ticket_id": "T-1003"}


@pytest.fixture
def service(shared):
    return shared


@pytest.fixture
def session(service):
    """A session of ana's customer."""
    with service.client("ana") as ana:
        body = {"agent": "triage", "data": {"customer_id": "C-17"}}
        return ana.post("/v1/sessions", json=body).json()["id"]


def connected(service, name, session=None, **more):
    """A client of the protocol, for one of the callers."""

    @asynccontextmanager
    async def connect():
        headers = {"authorization": f"Bearer {service.keys[name]}"}
        if session is not None:
            headers["agentc-session-id"] = session
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as http,
            Client(streamable_http_client(f"{service.url}/mcp", http_client=http), **more) as client,
        ):
            yield client

    return connect()


def runs(service, name="sam"):
    with service.client(name) as client:
        return client.get("/v1/runs").json()["runs"]


async def test_agents_are_tools(service):
    async with connected(service, "ana") as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(listed) == {"triage", "runs.get"}
    tool = listed["triage"]
    assert tool.description.startswith("Reads a ticket")
    assert tool.input_schema["required"] == ["ticket_id"]
    assert tool.output_schema["required"] == ["outcome", "summary"]
    assert tool.annotations.read_only_hint is False


async def test_a_call_is_a_run(service, session):
    seen = []

    async def told(number, total, message):
        seen.append((number, message))

    async with connected(service, "ana", session) as client:
        result = await client.call_tool("triage", ASK, progress_callback=told)
    (run,) = runs(service)
    assert (result.is_error, result.structured_content) == (False, run["output"])
    assert json.loads(result.content[0].text) == run["output"]
    assert seen[0] == (1, f"run {run['run_id']}")
    assert len(seen) == len({number for number, _ in seen}) >= 2


async def test_a_run_that_waits_for_a_person_is_asked_for_later(service, session):
    async with connected(service, "ana", session) as client:
        result = await client.call_tool("triage", {"ticket_id": "T-1002"})
        assert result.is_error
        (run,) = runs(service)
        assert f"run `{run['run_id']}` gave no answer, it is waiting" in result.content[0].text
        with service.client("lee") as lee:
            while True:
                for asked in lee.get("/v1/approvals").json()["approvals"]:
                    decision = {"decision": "reject", "reason": "an injection"}
                    lee.post(f"/v1/approvals/{asked['approval_id']}/decision", json=decision)
                result = await client.call_tool("runs.get", {"run_id": run["run_id"]})
                if not result.is_error:
                    break
        assert result.structured_content == runs(service)[0]["output"]
    async with connected(service, "zoe") as other:
        refused = await other.call_tool("runs.get", {"run_id": run["run_id"]})
        assert (refused.is_error, refused.content[0].text) == (True, f"no run `{run['run_id']}` here")


async def test_whom_it_is_for_is_not_for_the_model_to_say(service, session):
    async with connected(service, "ana") as client:
        for arguments in (ASK, {**ASK, "session": {"customer_id": "C-17"}}, {**ASK, "session_id": session}):
            refused = await client.call_tool("triage", arguments)
            assert refused.is_error
            assert "does not fit its schema" in refused.content[0].text
        refused = await client.call_tool("triage", {"ticket_id": "nonsense"})
        assert refused.is_error
    async with connected(service, "zoe", session) as client:
        refused = await client.call_tool("triage", ASK)
        assert (refused.is_error, refused.content[0].text) == (True, "no such session of agent `triage` here")
    async with connected(service, "ana", session) as client:
        with pytest.raises(MCPError, match="no tool `rm` here"):
            await client.call_tool("rm", {})
    assert runs(service) == []


def test_who_may_not_run_agents_finds_nothing(service):
    """Whoever asks is recognised before the protocol is read."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepts = {"accept": "application/json, text/event-stream"}

    def ask(**headers):
        return httpx.post(f"{service.url}/mcp", json=body, headers={**accepts, **headers}, trust_env=False)

    def key(name):
        return f"Bearer {service.keys[name]}"

    nobody = ask()
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="agentc"')
    assert ask(authorization="Bearer agentc_x").status_code == 401
    assert ask(authorization=f"Basic {service.keys['ana']}").status_code == 401
    for name in ("lee", "eve"):
        assert ask(authorization=key(name)).status_code == 403
    elsewhere = ask(authorization=key("ana"), origin="https://evil.example")
    assert (elsewhere.status_code, elsewhere.json()["detail"]) == (
        403, "requests of other pages in a browser are not taken"
    )  # fmt: skip
    assert ask(authorization=key("ana")).status_code == 200
    for content in (b"{", b"[]", b'"x"', b"\xff", b'{"jsonrpc": "2.0"}', b"1" * 2_000_000):
        got = httpx.post(
            f"{service.url}/mcp", content=content, trust_env=False,
            headers={**accepts, "authorization": key("ana"), "content-type": "application/json"},
        )  # fmt: skip
        assert 400 <= got.status_code < 500, (content[:20], got.text)
    stream = httpx.get(f"{service.url}/mcp", headers={"authorization": key("ana")}, trust_env=False)
    assert (stream.status_code, stream.headers["allow"]) == (405, "POST")


def test_without_being_told_to_there_is_no_such_entrance(serve):
    with serve().client("ana") as ana:
        assert ana.post("/mcp", json={}).status_code == 404


async def test_many_call_at_once(service, session):
    async with connected(service, "ana", session) as client:
        results = await asyncio.gather(*(client.call_tool("triage", ASK) for _ in range(8)))
    assert [result.is_error for result in results] == [False] * 8
    assert len(runs(service)) == 8
