"""Who may call what: a row for every route, tried with every role and from another tenant."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from agentc_service.app import create_app
from agentc_service.settings import Settings

RUN = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
CHAT = {
    "model": "triage",
    "messages": [{"role": "user", "content": "T-1003"}],
    "session": RUN["session"],
}
WHY = {"reason": "wrong ticket"}
#: Who has which role alone, in one tenant. `zoe` has all of them, in another.
PEOPLE = {"caller": "ana", "approver": "lee", "operator": "ops", "auditor": "eve"}
EVERYBODY = tuple(PEOPLE)


class Route(NamedTuple):
    """A route, who may call it, and how it is called here. `own`: things of one tenant are named in its path.

    `second`: it is the run that nobody decides for, so that it goes on waiting.

    `ok` is what those get who may; without roles anybody may, even without a key.
    """

    method: str
    path: str
    roles: tuple[str, ...]
    ok: int
    body: object = None
    own: bool = False
    second: bool = False


ROUTES = (
    Route("GET", "/healthz", (), 200),
    Route("GET", "/readyz", (), 200),
    Route("GET", "/openapi.json", (), 200),
    Route("GET", "/v1/agents", EVERYBODY, 200),
    Route("GET", "/v1/agents/{agent}", EVERYBODY, 200),
    Route("POST", "/v1/runs", ("caller", "operator"), 202, RUN),
    Route("GET", "/v1/runs", ("caller", "operator", "auditor"), 200),
    Route("GET", "/v1/runs/{run_id}", ("caller", "operator", "auditor"), 200, own=True),
    Route("PUT", "/v1/runs/{run_id}/feedback", ("caller", "operator"), 200, {"thumb": "up"}, own=True),
    Route("GET", "/v1/runs/{run_id}/feedback", ("caller", "operator", "auditor"), 200, own=True),
    Route("DELETE", "/v1/runs/{run_id}/feedback", ("caller", "operator"), 204, own=True),
    Route("GET", "/v1/feedback", ("operator", "auditor"), 200),
    Route("GET", "/v1/approvals", ("approver", "operator", "auditor"), 200),
    Route("GET", "/v1/approvals/{approval_id}", ("approver", "operator", "auditor"), 200, own=True),
    Route("POST", "/v1/sessions", ("caller", "operator"), 201, {"agent": "triage", "data": RUN["session"]}),
    Route("GET", "/v1/sessions/{session_id}", ("caller", "operator"), 200, own=True),
    Route("GET", "/v1/models", ("caller", "operator"), 200),
    Route("GET", "/v1/models/{model}", ("caller", "operator"), 200),
    Route("POST", "/v1/chat/completions", ("caller", "operator"), 200, CHAT),
    Route("GET", "/v1/audit", ("auditor",), 200),
    Route("GET", "/v1/audit/verify", ("auditor",), 200),
    # nothing is in doubt
    Route("POST", "/v1/runs/{run_id}/resolve", ("operator",), 409, {**WHY, "resolution": "failed"}, own=True),
    Route(
        "POST", "/v1/approvals/{approval_id}/decision", ("approver",), 200, {"decision": "reject"}, own=True
    ),
    Route("POST", "/v1/runs/{run_id}/cancel", ("operator",), 200, WHY, own=True, second=True),
    # of a run that is over, so that the stream ends
    Route("GET", "/v1/runs/{run_id}/events", ("caller", "operator", "auditor"), 200, own=True),
    Route("DELETE", "/v1/sessions/{session_id}", ("caller",), 204, own=True),
)
#: Roles that may as well, and are not tried: it can be done once.
ONCE = {("DELETE", "/v1/sessions/{session_id}"): ("operator",)}


def test_every_route_has_a_row(tmp_path):
    """A new route without one fails here."""
    routes = create_app(Settings(agents={}, store=str(tmp_path / "s.db")), {}).openapi()["paths"]
    there = {(method.upper(), path) for path, methods in routes.items() for method in methods}
    assert there | {("GET", "/openapi.json")} == {(route.method, route.path) for route in ROUTES}


def test_nothing_is_there_beside_the_documented_routes(tmp_path):
    app = create_app(Settings(agents={}, store=str(tmp_path / "s.db")), {})
    hidden = {route.path for route in flat(app.routes)} - set(app.openapi()["paths"])
    assert hidden == {"/openapi.json", "/console"}, "the console has a table of its own"


@pytest.fixture
def service(shared):
    return shared


@pytest.fixture
def things(service):
    """A session, and a run with a question, all of ana's."""
    with service.client("ana") as ana, service.client("lee") as lee:
        run = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
        session = ana.post("/v1/sessions", json={"agent": "triage", "data": RUN["session"]}).json()["id"]
        (asked,) = lee.get("/v1/approvals").json()["approvals"]
        second = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
    return {
        "agent": "triage",
        "second_id": second,
        "model": "triage",
        "run_id": run,
        "session_id": session,
        "approval_id": asked["approval_id"],
    }


def test_roles_and_tenants_at_every_route(service, things):
    for route in ROUTES:
        named = {**things, "run_id": things["second_id"]} if route.second else things
        path = route.path.format(**named)
        if not route.roles:
            assert call(service, None, route, path).status_code == route.ok, route
            continue
        nobody = call(service, None, route, path)
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="agentc"')
        other = call(service, "zoe", route, path)
        assert other.status_code == (404 if route.own else route.ok), (route, other.text)
        if not route.own:
            assert not any(things[name] in other.text for name in ("run_id", "session_id", "approval_id"))
        for role, name in PEOPLE.items():
            if role in ONCE.get((route.method, route.path), ()):
                continue
            got = call(service, name, route, path)
            assert got.status_code == (route.ok if role in route.roles else 403), (route, role, got.text)


def test_callers_see_their_own_runs_only(service, things):
    with service.client("ben") as ben:
        assert ben.get("/v1/runs").json() == {"runs": []}
        for path in (f"/v1/runs/{things['run_id']}", f"/v1/runs/{things['run_id']}/events"):
            assert ben.get(path).status_code == 404


def call(service, name, route, path):
    """One request of `name` to the route."""
    with service.client(name) as client:
        return client.request(route.method, path, json=route.body)


def flat(routes):
    """All routes, those of routers as well."""
    for route in routes:
        if hasattr(route, "path"):
            yield route
        else:
            yield from flat(route.original_router.routes)
