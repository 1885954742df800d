"""`agentc keygen`, `sign` and `verify --trust`."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

SIGNS = """
import base64, sys
from agentc_runtime.trust.keys import signer
print(base64.b64encode(signer(open(sys.argv[1], "rb").read()).sign(sys.stdin.buffer.read())).decode())
"""


@pytest.fixture
def bundle(agentc, project, folder) -> Path:
    assert agentc("build", project).code == 0
    return folder / "dist" / "triage-1.0.0"


@pytest.fixture
def trust(agentc, folder):
    """`trust(**rule)`: a key in `release.pem`, and the policy that trusts it, in `trust.json`."""
    public = agentc("keygen", "release.pem").out.strip()

    def write(**rule: object) -> Path:
        said = {
            "format": "agentc.trust/1",
            "keys": {"release": {"public_key": public}},
            "rules": [{"agents": ["triage"], "signed_by": ["release"], **rule}],
        }
        (folder / "trust.json").write_text(json.dumps(said))
        return folder / "trust.json"

    return write


def test_a_key_is_its_owners_and_is_not_written_over(agentc, folder):
    assert agentc("keygen", "one.pem").code == 0
    assert stat.S_IMODE((folder / "one.pem").stat().st_mode) == 0o600
    before = (folder / "one.pem").read_bytes()
    again = agentc("keygen", "one.pem")
    assert (again.code, again.out) == (2, "")
    assert "`one.pem` exists" in again.err
    assert (folder / "one.pem").read_bytes() == before
    assert agentc("keygen", "none/two.pem").code == 2


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256"])
@pytest.mark.parametrize("tar", [False, True])
def test_sign_and_verify(agentc, project, folder, kind, tar):
    public = agentc("keygen", "release.pem", "--type", kind).out.strip()
    said = {
        "format": "agentc.trust/1",
        "keys": {"release": {"public_key": public}},
        "rules": [
            {
                "agents": ["triage"],
                "signed_by": ["release"],
                "require": [{"kind": "validate", "signed_by": ["release"]}],
            }
        ],
    }
    Path("trust.json").write_text(json.dumps(said))
    assert agentc("build", project, *(["--tar"] if tar else [])).code == 0
    bundle = f"dist/triage-1.0.0{'.tar' if tar else ''}"
    before = agentc("verify", bundle).out
    unsigned = agentc("verify", bundle, "--trust", "trust.json")
    assert (unsigned.code, unsigned.out) == (1, "")
    assert "signed by 0 of the keys `release`, and 1 are needed: `agentc sign` it" in unsigned.err
    assert agentc("sign", bundle, "--key", "release.pem").code == 0
    assert "has no attestation `validate`" in agentc("verify", bundle, "--trust", "trust.json").err
    Path("report.json").write_text('{"findings": []}')
    assert agentc("sign", bundle, "--key", "release.pem", "--evidence", "validate=report.json").code == 0
    done = agentc("verify", bundle, "--trust", "trust.json")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        before.strip(), "    provenance by release", "    sbom by release", "    validate by release",
    ]  # fmt: skip
    assert "3 attestations, not checked" in agentc("verify", bundle).out
    told = json.loads(agentc("verify", bundle, "--trust", "trust.json", "--format", "json").out)
    assert [one["kind"] for one in told["attested"]] == ["provenance", "sbom", "validate"]
    report = json.loads(agentc("inspect", bundle, "--attestation", "validate").out)
    assert report["predicate"]["report"] == {"findings": []}


def test_keys_from_the_environment_and_encrypted_ones(agentc, bundle, trust, folder, monkeypatch):
    policy = trust()
    pem = (folder / "release.pem").read_bytes()
    monkeypatch.setenv("RELEASE_KEY", pem.decode())
    assert agentc("sign", bundle, "--key", "env:RELEASE_KEY").code == 0
    assert agentc("verify", bundle, "--trust", policy).code == 0
    shutil.rmtree(bundle / "attestations")
    locked = serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    (folder / "locked.pem").write_bytes(locked)
    closed = agentc("sign", bundle, "--key", "locked.pem")
    assert (closed.code, closed.out) == (2, "")
    assert (
        "is encrypted, and there is no password; the variable AGENTC_KEY_PASSWORD may hold one" in closed.err
    )
    monkeypatch.setenv("AGENTC_KEY_PASSWORD", "guess")
    assert agentc("sign", bundle, "--key", "locked.pem").code == 2
    monkeypatch.setenv("AGENTC_KEY_PASSWORD", "open sesame")
    assert agentc("sign", bundle, "--key", "locked.pem").code == 0
    assert agentc("verify", bundle, "--trust", policy).code == 0


def test_a_command_signs_with_a_key_that_stays_elsewhere(agentc, bundle, trust, folder):
    policy = trust()
    public = serialization.load_pem_private_key((folder / "release.pem").read_bytes(), None).public_key()
    (folder / "release.pub").write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (folder / "kms.py").write_text(SIGNS)
    command = f"command:{sys.executable} kms.py release.pem"
    assert "needs --public-key" in agentc("sign", bundle, "--key", command).err
    assert agentc("sign", bundle, "--key", command, "--public-key", "release.pub").code == 0
    assert agentc("verify", bundle, "--trust", policy).code == 0
    shutil.rmtree(bundle / "attestations")
    agentc("keygen", "other.pem")
    for wrong, told in (
        (f"{sys.executable} kms.py other.pem", "is no signature by the key in `release.pub`"),
        (f"{sys.executable} kms.py none.pem", "ended with exit code 1 and no signature"),
        ("no-such-program", "can't run `no-such-program`"),
        ("echo %%%", "is not base64"),
        ("'unclosed", "can't be split into words"),
        ("", "names no command"),
    ):
        done = agentc("sign", bundle, "--key", f"command:{wrong}", "--public-key", "release.pub")
        assert (done.code, done.out) == (2, ""), wrong
        assert told in done.err
    assert not (bundle / "attestations").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--key", "none.pem"], "can't read `none.pem`"),
        (["--key", "trust.json"], "not a private key in PEM"),
        (["--key", "env:NOT_SET"], "the variable `NOT_SET` is not set"),
        (
            ["--key", "release.pem", "--evidence", "evals=x"],
            "write KIND=FILE, with a KIND of validate, eval",
        ),
        (["--key", "release.pem", "--evidence", "eval=none"], "can't read `none`"),
        (["--key", "release.pem", "--evidence", "eval=release.pem"], "not strict JSON"),
    ],
)
def test_signatures_that_can_not_be_made(agentc, bundle, trust, arguments, told):
    trust()
    done = agentc("sign", bundle, *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert not (bundle / "attestations").exists()


def test_a_changed_bundle_is_not_signed(agentc, bundle, trust):
    trust()
    os.truncate(bundle / "program.json", 10)
    done = agentc("sign", bundle, "--key", "release.pem")
    assert done.code == 2
    assert "is not a bundle that can be signed" in done.err


def test_a_policy_that_can_not_be_used(agentc, bundle, trust):
    policy = trust(signed_by=["relaese"])
    done = agentc("verify", bundle, "--trust", policy)
    assert (done.code, done.out) == (2, "")
    assert "rules[0].signed_by names 'relaese'" in done.err


def test_inspect_of_what_is_not_attested(agentc, bundle):
    assert "has no attestation `sbom`" in agentc("inspect", bundle, "--attestation", "sbom").err
    assert "did you mean `sbom`?" in agentc("inspect", bundle, "--attestation", "sbmo").err


def test_two_archives_of_one_project_are_the_same(agentc, project, folder):
    shutil.copytree(project, folder / "clone")
    digests = set()
    for number, path in enumerate((project, folder / "clone")):
        done = agentc("build", path, "--tar", "--out", f"out{number}")
        digests.add((done.out.split()[1], (folder / f"out{number}" / "triage-1.0.0.tar").read_bytes()))
    assert len(digests) == 1


def test_only_what_the_specs_give_again_is_signed(agentc, project, bundle, trust):
    trust()
    sign = ("sign", bundle, "--key", "release.pem", "--project", project)
    (project / "agent.yaml").write_text((project / "agent.yaml").read_text() + "# changed since\n")
    refused = agentc(*sign)
    assert (refused.code, refused.out) == (1, "")
    assert "is not what" in refused.err
    assert "`agent.yaml` is another one" in refused.err
    assert not (bundle / "attestations").exists()
    assert agentc("build", project).code == 0
    assert agentc(*sign).code == 0
    (project / "agent.yaml").write_text((project / "agent.yaml").read_text().replace("fast", "fats"))
    assert "the project has errors" in agentc(*sign).err
    (project / "agent.yaml").unlink()
    gone = agentc(*sign)
    assert (gone.code, gone.err) == (2, "error: no agent `triage` in this project, which has none\n")
