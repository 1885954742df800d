"""`agentc deploy`, `promote`, `rollback`, `status`, and `pull` by a channel."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentc.checks.base import AGENT

KEY = ("--key", "release.pem", "--trust", "trust.json")


@pytest.fixture
def bundles(agentc, project, folder) -> dict[str, Path]:
    """Versions 1.0.0, 1.1.0 and 2.0.0, signed by the release's key, which may sign channels too."""
    public = agentc("keygen", "release.pem").out.strip()
    rule = {"agents": ["triage"], "signed_by": ["release"], "channels_signed_by": ["release"]}
    said = {"format": "agentc.trust/1", "keys": {"release": {"public_key": public}}, "rules": [rule]}
    (folder / "trust.json").write_text(json.dumps(said))
    found = {}
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        text = AGENT.replace("version: 1.0.0", f"version: {version}")
        (project / "agent.yaml").write_text(text)
        assert agentc("build", project).code == 0
        found[version] = folder / "dist" / f"triage-{version}"
        assert agentc("sign", found[version], "--key", "release.pem").code == 0
    return found


def arms(text: str) -> list[tuple[str, str, str]]:
    return re.findall(r"^    (\w+)  ([\d.]+)  (\d+) %", text, re.MULTILINE)


def test_from_the_first_deployment_to_a_rollback(agentc, bundles):
    first = agentc("deploy", bundles["1.0.0"], "origin", *KEY)
    assert (first.code, first.err) == (0, "")
    assert "triage in production  pointer 1, good until " in first.out
    assert arms(first.out) == [("stable", "1.0.0", "100")]
    canary = agentc("deploy", bundles["1.1.0"], "origin", "--canary", 10, "--gate", "error_rate<=0.05", *KEY)
    assert arms(canary.out) == [("stable", "1.0.0", "90"), ("canary", "1.1.0", "10")]
    reason = ("--reason", "good for a week")
    promoted = agentc("promote", "triage", "origin", *reason, *KEY)
    assert arms(promoted.out) == [("stable", "1.1.0", "100")]
    assert (
        agentc("promote", "triage", "origin", *reason, *KEY).err == "error: there is no canary to promote\n"
    )
    back = agentc("rollback", "triage", "origin", "--reason", "refunds twice", *KEY)
    assert "pointer 4" in back.out
    assert arms(back.out) == [("stable", "1.0.0", "100")]
    again = agentc("rollback", "triage", "origin", "--reason", "more", *KEY)
    assert (again.code, again.err) == (1, "error: nothing was deployed before 1.0.0\n")


def test_an_older_bundle_has_to_be_meant(agentc, bundles):
    agentc("deploy", bundles["2.0.0"], "origin", *KEY)
    refused = agentc("deploy", bundles["1.0.0"], "origin", *KEY)
    assert (refused.code, refused.out) == (1, "")
    assert "1.0.0 is older than 2.0.0, which runs: `agentc rollback` goes back, or say --older" in refused.err
    assert agentc("deploy", bundles["1.0.0"], "origin", "--older", *KEY).code == 0


def test_what_workers_would_not_trust_is_not_deployed(agentc, bundles, project, folder):
    (project / "agent.yaml").write_text(AGENT.replace("version: 1.0.0", "version: 3.0.0"))
    agentc("build", project)
    unsigned = agentc("deploy", "dist/triage-3.0.0", "origin", *KEY)
    assert (unsigned.code, unsigned.out) == (1, "")
    assert "is not trusted" in unsigned.err
    assert not (folder / "origin").exists()
    agentc("keygen", "other.pem")
    key = ("--key", "other.pem", "--trust", "trust.json")
    stranger = agentc("deploy", bundles["1.0.0"], "origin", *key)
    assert stranger.code == 1
    assert "signed by another key than `release`" in stranger.err
    assert not (folder / "origin" / "channels").exists()


def test_a_pointer_that_is_not_ours_is_not_built_upon(agentc, bundles, folder):
    agentc("deploy", bundles["1.0.0"], "origin", *KEY)
    path = folder / "origin/channels/production/triage.json"
    path.write_bytes(path.read_bytes().replace(b'"sig":"A', b'"sig":"B').replace(b"payload", b"payloaf"))
    refused = agentc("deploy", bundles["1.1.0"], "origin", *KEY)
    assert refused.code == 1
    assert "the pointer not a DSSE envelope" in refused.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--gate", "error_rate<=0.1"], "--gate needs --canary"),
        (["--canary", "10", "--gate", "errors<=0.1"], "write it like 'error_rate<=0.05'"),
        (["--canary", "10", "--gate", "score<=0.1"], "write it like"),
        (["--canary", "50", "--canary", "10"], "the shares have to rise"),
        (["--canary", "0"], "0 is not in the range"),
        (["--expires", "soon"], "`soon` is no duration"),
        (["--channel", "../x"], "is no name of a channel"),
        (["--canary", "10"], "there is no stable bundle yet"),
    ],
)
def test_deployments_that_can_not_be_meant(agentc, bundles, arguments, told):
    done = agentc("deploy", bundles["1.0.0"], "origin", *arguments, *KEY)
    assert done.code in (1, 2)
    assert told in done.err
    assert done.out == ""


def test_pull_what_a_channel_points_at(agentc, bundles):
    agentc("deploy", bundles["1.0.0"], "origin", *KEY)
    agentc("deploy", bundles["1.1.0"], "origin", "--canary", 10, *KEY)
    pulled = agentc("pull", "origin", "--agent", "triage", "--trust", "trust.json", "--out", "there")
    assert pulled.out.startswith("there/triage-1.0.0  sha256:")
    assert agentc("pull", "origin", "--agent", "triage").code == 2
    missing = agentc("pull", "origin", "--agent", "triage", "--channel", "test", "--trust", "trust.json")
    assert missing.code == 1


def test_only_a_trusted_bundle_runs(agentc, bundles, project, folder):
    (project / "agent.yaml").write_text(AGENT.replace("version: 1.0.0", "version: 3.0.0"))
    agentc("build", project)
    refused = agentc("run", "dist/triage-3.0.0", "--trust", "trust.json", "--no-store")
    assert (refused.code, refused.out) == (2, "")
    assert "the bundle is not trusted" in refused.err
    assert "needs a bundle" in agentc("run", project, "--trust", "trust.json").err


def test_status_of_what_is_disabled(agentc, folder):
    (folder / "control").mkdir()
    control = ("--control", "control")
    assert agentc("status", *control).out == "no worker has reported, and nothing is disabled\n"
    agentc("disable", "agent", "triage", "--reason", "it leaks", "--by", "ana", *control)
    done = agentc("status", *control)
    assert (done.code, done.out) == (0, "agent `triage` is disabled by ana: it leaks\n")
    told = json.loads(agentc("status", *control, "--format", "json").out)
    assert told["workers"] == []
    assert told["switches"][0]["name"] == "triage"
    twice = agentc("enable", "agent", "triage", "--reason", "x", "--agent", "triage", *control)
    assert (twice.code, twice.err) == (1, "error: agent `triage` in `triage` is not disabled\n")
    assert agentc("enable", "agent", "triage", "--reason", "mended", *control).code == 0
    assert "is not a folder" in agentc("status", "--control", "none").err


def test_an_environment_file_is_checked_at_build_and_at_run(agentc, project, folder):
    said = {
        "format": "agentc.environment/1",
        "agent": "triage",
        "environment": "local",
        "limits": {"steps": 3},
    }
    (folder / "local.json").write_text(json.dumps(said))
    assert agentc("build", project, "--narrow", "local.json").code == 0
    shown = agentc("inspect", "dist/triage-1.0.0", "--narrow", "local.json")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out != agentc("inspect", "dist/triage-1.0.0").out
    (folder / "local.json").write_text(json.dumps({**said, "limits": {"steps": 5000}}))
    for command in (("build", project), ("inspect", "dist/triage-1.0.0"), ("run", "dist/triage-1.0.0")):
        refused = agentc(*command, "--narrow", "local.json")
        assert (refused.code, refused.out) == (2, "")
        assert "the limit `steps` is 5000, and the bundle has 50: an environment file narrows" in refused.err
    (folder / "local.json").write_text("{}")
    assert "missing required field" in agentc("build", project, "--narrow", "local.json").err
    both = agentc("run", "dist/triage-1.0.0", "--narrow", "local.json", "--durable")
    assert "exclude each other" in both.err
