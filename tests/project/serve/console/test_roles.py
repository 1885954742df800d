"""Who may open what in the console: a row for every route, tried with every role and from another tenant."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

import httpx
import pytest
from starlette.routing import Route

from agentc_runtime.store import Store
from agentc_service.console.app import create_console

RUN = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
#: Who has which role alone, in one tenant. `zoe` has all of them, in another.
PEOPLE = {"caller": "ana", "approver": "lee", "operator": "ops", "auditor": "eve"}
EVERYBODY = tuple(PEOPLE)
READERS = ("caller", "operator", "auditor")
DECIDERS = ("approver", "operator", "auditor")
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


class Row(NamedTuple):
    """A route, who may use it, and the answer for them. `own`: a thing of one tenant is named in its path.

    `second`: it is the run that nobody decides for, so that it goes on waiting.
    """

    method: str
    path: str
    roles: tuple[str, ...]
    ok: int
    fields: tuple[tuple[str, str], ...] = ()
    own: bool = False
    second: bool = False


ROWS = (
    Row("GET", "/", EVERYBODY, 303),
    Row("GET", "/runs", READERS, 200),
    Row("GET", "/runs/{run_id}", READERS, 200, own=True),
    Row("GET", "/approvals", DECIDERS, 200),
    Row("GET", "/approvals/{approval_id}", DECIDERS, 200, own=True),
    Row(
        "POST", "/approvals/{approval_id}", ("approver",), 303,
        (("decision", "reject"), ("reason", "no order")), own=True,
    ),
    Row("GET", "/agents", DECIDERS, 200),
    Row("GET", "/agents/{agent}", DECIDERS, 200),
    Row("GET", "/evals", DECIDERS, 200),
    Row("GET", "/audit", ("auditor",), 200),
    Row("POST", "/audit", ("auditor",), 200),
    # nothing is in doubt, and then the run is over
    Row(
        "POST", "/runs/{run_id}/resolve", ("operator",), 409,
        (("resolution", "failed"), ("reason", "lost")), own=True, second=True,
    ),
    Row("POST", "/runs/{run_id}/cancel", ("operator",), 303, (("reason", "enough"),), own=True, second=True),
    # of a run that is over, so that the stream ends
    Row("GET", "/runs/{run_id}/events", READERS, 200, own=True),
    Row("POST", "/sign-out", EVERYBODY, 303),
)  # fmt: skip
#: For whoever comes, with no session.
OPEN = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/static/{name}")}


def test_every_route_has_a_row():
    """A new route without one fails here."""
    there = {
        (method, route.path)
        for route in create_console(None).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert there == {(row.method, row.path) for row in ROWS} | OPEN


class Person:
    """Somebody with a browser who has signed in, or nobody."""

    def __init__(self, service, name):
        headers = {"origin": service.url, "sec-fetch-mode": "navigate"}
        self.client = httpx.Client(base_url=service.url, timeout=30, trust_env=False, headers=headers)
        self.token = "0" * 64
        if name is not None:
            token = TOKEN.search(self.client.get("/console/sign-in").text)[1]
            fields = {"form_token": token, "credentials": service.keys[name]}
            assert self.client.post("/console/sign-in", data=fields).status_code == 303
            page = self.client.get("/console/", follow_redirects=True).text
            self.token = TOKEN.search(page)[1]

    def ask(self, row, things):
        named = {**things, "run_id": things["second_id"]} if row.second else things
        path = "/console" + row.path.format(**named)
        if row.method == "GET":
            return self.client.get(path)
        return self.client.post(path, data={"form_token": self.token, **dict(row.fields)})


@pytest.fixture
def service(shared):
    return shared


@pytest.fixture
def people(service):
    """Everybody who is tried, by name."""
    found = {name: Person(service, name) for name in (None, "zoe", "ben", "sam", *PEOPLE.values())}
    yield found
    for person in found.values():
        person.client.close()


def test_roles_and_tenants_at_every_page(service, people):
    with service.client("ana") as ana, service.client("lee") as lee:
        run = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
        (asked,) = lee.get("/v1/approvals").json()["approvals"]
        second = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
    things = {"run_id": run, "second_id": second, "approval_id": asked["approval_id"], "agent": "triage"}
    for row in ROWS:
        nobody = people[None].ask(row, things)
        assert nobody.status_code == (303 if row.method == "GET" else 401), row
        assert "/console/sign-in" in nobody.headers.get("location", "/console/sign-in")
        other = people["zoe"].ask(row, things)
        assert other.status_code == (404 if row.own else row.ok), (row, other.text)
        if not row.own:
            assert run not in other.text
            assert asked["approval_id"] not in other.text
        for role, name in PEOPLE.items():
            got = people[name].ask(row, things)
            assert got.status_code == (row.ok if role in row.roles else 403), (row, role, got.text)
        if row.own and "caller" in row.roles:
            assert people["ben"].ask(row, things).status_code == 404, "another caller of the same tenant"


def test_paths_that_name_nothing_are_not_found_and_never_shown_as_markup(people):
    for path in (
        "/runs/<script>",
        "/runs/%00",
        "/runs/..%2f",
        "/approvals/'",
        "/agents/<script>",
        "/audit?run=<b>",
        "/audit?kind=<b>",
        "/audit?since=2026-02-30",
        "/audit?until=9999-12-31",
        "/audit?before=0",
        "/runs?status=<b>",
        "/runs?before=<b>",
    ):
        answer = people["sam"].client.get(f"/console{path}")
        assert answer.status_code in (400, 404), path
        assert "<script>" not in answer.text
        assert "<b>" not in answer.text


def test_what_people_wrote_is_text_in_the_log_and_older_records_are_behind_a_link(service, people):
    evil = '"><img src=x onerror=alert(1)>{{ 7 * 7 }}'
    with service.client("ana") as ana, service.client("ops") as ops:
        run = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]
        ops.post(f"/v1/runs/{run}/cancel", json={"reason": evil})
    with Store(service.folder / ".agentc/service.db") as store:
        for number in range(120):
            store.record(run, "page", {"page": number, "request_digest": evil})
    eve = people["eve"].client
    for path in (f"/console/audit?run={run}&kind=run_ended", f"/console/audit?run={run}", "/console/audit"):
        text = eve.get(path).text
        assert "<img src=x" not in text, path
        assert "&lt;img src=x onerror=alert(1)&gt;{{ 7 * 7 }}" in text, path
    first = eve.get(f"/console/audit?run={run}&kind=page").text
    (older,) = re.findall(r'<a href="([^"]+)">Older records</a>', first)
    rest = eve.get(html.unescape(older)).text
    numbers = [int(found) for page in (first, rest) for found in re.findall(r'id="record-([0-9]+)"', page)]
    assert len(numbers) == len(set(numbers)) == 120
    assert numbers == sorted(numbers, reverse=True)
    assert "Older records" not in rest
