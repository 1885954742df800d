"""`agentc push` and `pull`, with a folder between them. Other origins: tests/release/test_origins.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def bundle(agentc, project, folder) -> Path:
    assert agentc("build", project).code == 0
    return folder / "dist" / "triage-1.0.0"


@pytest.fixture
def digest(agentc, bundle) -> str:
    return json.loads(agentc("verify", bundle, "--format", "json").out)["digest"]


def test_a_bundle_and_its_attestations_arrive(agentc, bundle, digest, folder):
    public = agentc("keygen", "release.pem").out.strip()
    rule = {"agents": ["triage"], "signed_by": ["release"]}
    said = {"format": "agentc.trust/1", "keys": {"release": {"public_key": public}}, "rules": [rule]}
    (folder / "trust.json").write_text(json.dumps(said))
    pushed = agentc("push", bundle, "origin")
    assert (pushed.code, pushed.out, pushed.err) == (0, f"triage 1.0.0  sha256:{digest}\n", "")
    pull = ("pull", "origin", "--digest", f"sha256:{digest}", "--trust", "trust.json", "--out", "there")
    early = agentc(*pull)
    assert (early.code, early.out) == (1, "")
    assert f"sha256:{digest[:12]} is not trusted" in early.err
    assert not (folder / "there").exists()
    agentc("sign", bundle, "--key", "release.pem")
    agentc("push", bundle, "origin")
    done = agentc(*pull)
    assert (done.code, done.out, done.err) == (0, f"there/triage-1.0.0  sha256:{digest}\n", "")
    assert agentc("verify", "there/triage-1.0.0", "--trust", "trust.json").code == 0


def test_what_is_not_there_or_something_else(agentc, bundle, digest, folder):
    agentc("push", bundle, "origin")
    missing = agentc("pull", "origin", "--digest", "0" * 64)
    assert (missing.code, missing.out) == (1, "")
    assert "no such file" in missing.err
    (folder / "origin/bundles" / f"sha256-{'0' * 64}.tar").write_bytes(
        (folder / "origin/bundles" / f"sha256-{digest}.tar").read_bytes()
    )
    lied = agentc("pull", "origin", "--digest", "0" * 64)
    assert lied.code == 1
    assert f"what is there for sha256:000000000000 is sha256:{digest[:12]}" in lied.err


def test_places_and_digests_that_can_not_be_meant(agentc, bundle):
    assert "is no sha256" in agentc("pull", "origin", "--digest", "latest").err
    refused = agentc("push", bundle, "https://bundles.example")
    assert refused.code == 2
    assert "push to the folder that it serves" in refused.err
    assert agentc("push", bundle.parent, "origin").code == 2
