"""Who gets in, for how long, and what other sites can't make a browser do."""

from __future__ import annotations

import re

import httpx
import pytest

from agentc_service.auth.api_keys import read_keys, write_keys
from agentc_service.console.app import POLICY

PAGES = (
    "/console/runs",
    "/console/approvals",
    "/console/sign-in",
    "/console/nothing",
    "/console/static/none",
)


class Browser:
    """As much of a browser as signs in: it keeps cookies, and says where its forms come from."""

    def __init__(self, service, **headers):
        self.client = httpx.Client(base_url=service.url, timeout=30, trust_env=False, headers=headers)
        self.origin = service.url

    def token(self, path="/console/sign-in"):
        return re.search(r'name="form_token" value="([0-9a-f]{64})"', self.client.get(path).text)[1]

    def post(self, path, fields, **headers):
        return self.client.post(path, data=fields, headers={"origin": self.origin, **headers})

    def sign_in(self, key, **more):
        fields = {"form_token": self.token(), "credentials": key, **more}
        return self.post("/console/sign-in", fields)


@pytest.fixture
def service(shared):
    return shared


@pytest.fixture
def browse():
    """A maker of browsers."""
    made = []

    def make(service, **headers):
        made.append(Browser(service, **headers))
        return made[-1]

    yield make
    for browser in made:
        browser.client.close()


def test_a_session_from_its_begin_to_its_end(browse, service):
    ana = browse(service)
    answer = ana.sign_in(service.keys["ana"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("agentc_console="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/console" in cookie
    assert "Secure" not in cookie, "this is loopback without TLS"
    assert ana.client.get("/console/runs").status_code == 200
    kept = "; ".join(f"{name}={value}" for name, value in ana.client.cookies.items())
    out = ana.post("/console/sign-out", {"form_token": ana.token("/console/runs")})
    assert out.status_code == 303
    again = browse(service).client.get("/console/runs", headers={"cookie": kept})
    assert (again.status_code, again.headers["location"]) == (303, "/console/sign-in?to=%2Fconsole%2Fruns")


def test_what_nobody_has_is_refused_and_never_shown_again(browse, service):
    secret = "agentc_0123456789ab_" + "x" * 43
    answer = browse(service).sign_in(secret)
    assert answer.status_code == 401
    assert "Not signed in: the API key is not one of this service." in answer.text
    assert secret not in answer.text


def test_a_withdrawn_key_ends_its_sessions(browse, service):
    ana = browse(service)
    ana.sign_in(service.keys["ana"])
    path = service.folder / "keys.jsonl"
    write_keys(path, {name: key for name, key in read_keys(path).items() if key.subject != "ana"})
    assert ana.client.get("/console/runs").status_code == 303


def test_nobody_is_sent_elsewhere_after_signing_in(browse, service):
    for wanted in (
        "https://evil.example/",
        "//evil.example",
        "/v1/runs",
        "/console/../v1",
        "/console//evil.example",
        "x",
    ):
        answer = browse(service).sign_in(service.keys["ana"], to=wanted)
        assert answer.headers["location"] == "/console/", wanted


def test_forms_of_others_are_refused(browse, service):
    ana, ben = browse(service), browse(service)
    ana.sign_in(service.keys["ana"])
    ben.sign_in(service.keys["ben"])
    mine, other = ana.token("/console/runs"), ben.token("/console/runs")
    assert ana.post("/console/sign-out", {}).status_code == 403
    assert ana.post("/console/sign-out", {"form_token": other}).status_code == 403
    assert (
        ana.post("/console/sign-out", {"form_token": mine}, origin="http://evil.example").status_code == 403
    )
    assert ana.post("/console/sign-out", {"form_token": mine}, origin="null").status_code == 403
    assert ana.client.post("/console/sign-out", data={"form_token": mine}).status_code == 403
    assert browse(service).post("/console/sign-in", {"credentials": service.keys["ana"]}).status_code == 403
    assert ana.client.get("/console/runs").status_code == 200, "still there"


def test_other_names_for_this_machine_are_refused(service):
    with service.client() as client:
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
            assert client.get("/console/sign-in", headers={"host": host}).status_code in (400, 421)


def test_over_tls_the_cookie_is_bound_to_the_host(browse, serve):
    first = serve(more="  console: { origin: https://console.example }\n")
    browser = browse(first, host="console.example")
    browser.origin = "https://console.example"
    form = browser.client.get("/console/sign-in")
    cookie = form.headers["set-cookie"]
    assert re.match(r"__Host-agentc_form=\S+; HttpOnly; Path=/; SameSite=strict; Secure$", cookie)
    assert form.headers["strict-transport-security"] == "max-age=31536000"
    value = cookie.partition(";")[0]
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', form.text)[1]
    fields = {"form_token": token, "credentials": first.keys["ana"]}
    entered = browser.post("/console/sign-in", fields, cookie=value)
    begun = entered.headers.get_list("set-cookie")[0]
    assert re.match(r"__Host-agentc=\S+; HttpOnly; Max-Age=\d+; Path=/; SameSite=strict; Secure$", begun)
    with first.client() as client:
        assert client.get("/console/sign-in").status_code == 421, "not by its address"


def test_an_origin_without_tls_is_for_this_machine(agentc, serve):
    spec = serve.folder() / "service.yaml"
    spec.write_text(spec.read_text() + "  console: { origin: http://console.example }\n")
    assert "console: { origin: http://console.example }" in agentc("serve", spec, "--check", code=1).stderr


def test_every_answer_has_the_rules_for_browsers(browse, service):
    ana = browse(service)
    ana.sign_in(service.keys["ana"])
    for path in PAGES:
        headers = ana.client.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    assert ana.client.get("/console/nothing").headers["content-type"] == "text/html; charset=utf-8"
    assert "immutable" in ana.client.get("/console/static/console.js").headers["cache-control"]


def test_a_cookie_is_no_key_of_the_api(browse, service):
    ana = browse(service)
    ana.sign_in(service.keys["ana"])
    assert ana.client.get("/v1/runs").status_code == 401
    cookie = dict(ana.client.cookies)["agentc_console"]
    assert ana.client.get("/v1/runs", headers={"authorization": f"Bearer {cookie}"}).status_code == 401


def test_a_link_from_elsewhere_finds_the_session(browse, service):
    """Browsers send the cookie with nothing that another site began: the page begins the request anew."""
    answer = browse(service).client.get(
        "/console/approvals", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    )
    assert (answer.status_code, "0; url=/console/approvals" in answer.text) == (200, True)
    same = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
    assert browse(service).client.get("/console/approvals", headers=same).status_code == 303
