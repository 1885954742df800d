"""A service that follows a channel: what is deployed runs, without a restart, and how it goes is counted."""

from __future__ import annotations

import json
import re
import textwrap
import time
from contextlib import closing

import httpx
import pytest

RUN = {"agent": "triage", "input": {"ticket_id": "T-1001"}, "session": {"customer_id": "C-17"}}
KEY = ("--key", "release.pem", "--trust", "trust.json")


@pytest.fixture
def channel(serve, agentc):
    """The folder of a service whose agent is that of a channel, and `deploy(version, *options)`, which moves
    it."""
    folder = serve.folder()
    spec = folder / "live/agents/triage.yaml"
    public = agentc("keygen", "release.pem", cwd=folder).stdout.strip()
    rule = {"agents": ["triage"], "signed_by": ["release"], "channels_signed_by": ["release"]}
    said = {"format": "agentc.trust/1", "keys": {"release": {"public_key": public}}, "rules": [rule]}
    (folder / "trust.json").write_text(json.dumps(said))

    def deploy(version, *options):
        spec.write_text(re.sub(r"version: [0-9.]+", f"version: {version}", spec.read_text(), count=1))
        agentc("build", folder / "live", "--out", folder / "dist")
        bundle = f"dist/triage-{version}"
        agentc("sign", bundle, "--key", "release.pem", cwd=folder)
        agentc("deploy", bundle, "origin", *options, *KEY, cwd=folder)

    deploy("1.0.0")
    (folder / "service.yaml").write_text(
        textwrap.dedent("""\
        apiVersion: agentc/v1
        kind: Service
        metadata: { name: support, version: 1.0.0, owner: support-platform }
        spec:
          agents:
            - channel: { agent: triage, origin: origin, trust: trust.json, poll: 200ms }
              environment: local
          auth: { api_keys: { file: keys.jsonl } }
        """)
    )
    return folder, deploy


@pytest.fixture
def followed(serve, channel):
    """Such a service, running, and `deploy`."""
    folder, deploy = channel
    return serve(folder), deploy


def in_the_console(service, name):
    """A browser of this person, who has signed in."""
    browser = httpx.Client(base_url=service.url, headers={"origin": service.url}, trust_env=False)
    form = browser.get("/console/sign-in").text
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', form)[1]
    browser.post("/console/sign-in", data={"form_token": token, "credentials": service.keys[name]})
    return browser


def version(client):
    return client.get("/v1/agents/triage").json()["version"]


def until(said, wanted):
    for _ in range(100):
        if said() == wanted:
            return
        time.sleep(0.1)
    raise AssertionError((said(), wanted))


def test_what_is_deployed_runs_without_a_restart(followed, agentc):
    service, deploy = followed
    with service.client("ana") as ana:
        assert version(ana) == "1.0.0"
        before = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()
        assert before["version"] == "1.0.0"
        deploy("1.1.0")
        until(lambda: version(ana), "1.1.0")
        after = ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()
        assert after["version"] == "1.1.0"
        agentc("rollback", "triage", "origin", "--reason", "worse", *KEY, cwd=service.folder)
        until(lambda: version(ana), "1.0.0")
    store = service.folder / ".agentc/service.db"
    shown = agentc("audit", "show", "--store", store, "--format", "json").stdout
    placed = [json.loads(line)["payload"] for line in shown.splitlines() if '"kind": "placed"' in line]
    assert [(one["channel"], one["sequence"], one["arm"]) for one in placed] == [
        ("production", 1, "stable"),
        ("production", 2, "stable"),
    ]
    status = agentc("status", "--control", f"sqlite:///{store}").stdout
    assert "triage in production  pointer 3" in status


def test_a_canary_is_chosen_by_session_and_counted(followed, agentc):
    service, deploy = followed
    deploy("1.1.0", "--canary", "100")
    control = ("--control", f"sqlite:///{service.folder / '.agentc/service.db'}")
    with service.client("ana") as ana, service.client("lee") as lee:
        until(lambda: ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["version"], "1.1.0")
        assert version(ana) == "1.0.0", "the stable one is what it says of itself"
        with closing(in_the_console(service, "ops")) as ops:
            page = re.sub(r"<[^>]+>|\s+", " ", ops.get("/console/agents/triage").text)
        page = re.sub(r" +", " ", page)
        assert "Runs pointer 2; looked" in page
        assert re.search(r"stable 1\.0\.0 0 % [0-9a-f]{12} canary 1\.1\.0 100 % [0-9a-f]{12}", page), page

        def counted():
            for asked in lee.get("/v1/approvals").json()["approvals"]:
                path = f"/v1/approvals/{asked['approval_id']}/decision"
                lee.post(path, json={"decision": "reject", "reason": "no"})
            text = agentc("status", *control, "--format", "json").stdout
            newest = max(json.loads(text)["workers"], key=lambda worker: worker["checked"])
            return newest["arms"][1]["counts"]["runs"] > 0

        until(counted, True)


def test_nothing_to_run_is_said_at_the_start(channel, agentc):
    folder, _ = channel
    (folder / "origin/channels/production/triage.json").unlink()
    done = agentc("serve", folder / "service.yaml", "--check", code=2)
    assert "service.yaml:6: no bundle of `triage` in `production`: can't read" in done.stderr
