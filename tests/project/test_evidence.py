"""Evals as evidence for a release: from the specs to what a deployment accepts, and all that it refuses."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from agentc_runtime.canonical import canonical

ROOT = Path(__file__).parents[2]
ESCALATES = "default: escalate"
#: An eval of two cases, one of which an attacker's ticket is in: no recording is needed.
EVAL = re.search(
    r"<!-- file: specs/support/evals/first.yaml -->\n```yaml\n(.*?)```",
    (ROOT / "docs/how-to/evaluate-an-agent.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
DEMANDS = {
    "passed": {"const": True},
    "model": {"const": "mock"},
    "summary": {
        "properties": {
            "cases": {"minimum": 2},
            "pass_rate": {"properties": {"value": {"minimum": 1}}},
            "violations": {"maximum": 0},
        }
    },
}


class Release:
    """A project with its eval, keys of the release and of continuous integration, and what is said of it."""

    def __init__(self, run: Callable[..., SimpleNamespace], folder: Path) -> None:
        assert EVAL is not None
        self.run, self.folder, self.said = run, folder, list[str]()
        shutil.copytree(ROOT / "specs" / "support", folder / "specs")
        for name in ("evals", "tests"):  # those of the example, which would object to the changes first
            shutil.rmtree(folder / "specs" / name)
        (folder / "specs" / "evals").mkdir()
        (folder / "specs" / "evals" / "first.yaml").write_text(EVAL[1])
        self.keys = {name: run("keygen", f"{name}.pem").out.strip() for name in ("release", "ci", "stranger")}
        self.trust()
        self.build()

    def trust(self, where: object = None, **requirement: object) -> None:
        """The policy of the deployment: whoever releases doesn't vouch for evals."""
        wanted = {"kind": "eval", "name": "first", "signed_by": ["ci"], **requirement}
        wanted["where"] = {"properties": DEMANDS if where is None else where}
        rule = {
            "agents": ["triage"],
            "signed_by": ["release"],
            "channels_signed_by": ["release"],
            "require": [wanted],
        }
        keys = {name: {"public_key": self.keys[name]} for name in ("release", "ci")}
        said = {"format": "agentc.trust/1", "keys": keys, "rules": [rule]}
        Path("trust.json").write_text(json.dumps(said))

    def build(self) -> None:
        shutil.rmtree("dist", ignore_errors=True)
        assert self.run("build", "specs").code == 0
        assert self.run("sign", "dist/triage-1.0.0", "--key", "release.pem").code == 0

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / "specs" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def evaluate(self, *options: str) -> SimpleNamespace:
        return self.run("eval", "specs", "--eval", "first", "--evidence", "eval.json", *options)

    def sign(self, key: str = "ci", file: str = "eval.json") -> SimpleNamespace:
        return self.run("sign", "dist/triage-1.0.0", "--key", f"{key}.pem", "--evidence", f"eval={file}")

    def deploy(self) -> SimpleNamespace:
        return self.run(
            "deploy", "dist/triage-1.0.0", "origin", "--key", "release.pem", "--trust", "trust.json"
        )

    def note(self, what: str) -> None:
        """What `verify` says of it; `deploy` says the same or nothing is worth anything."""
        verified, deployed = (
            self.run("verify", "dist/triage-1.0.0", "--trust", "trust.json"),
            self.deploy(),
        )
        assert verified.code == deployed.code, (verified, deployed)
        if verified.code:
            assert verified.err.partition("verify: ")[2] == deployed.err.partition("trusted: ")[2]
        told = re.sub(r"-[0-9a-f]{16}\.json", "-….json", verified.out + verified.err)
        self.said.append(f"{what}:\n    {re.sub('[0-9a-f]{12,64}', '…', told).strip()}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done to the attestations inside is undone after."""
        shutil.copytree("dist", "kept")
        yield
        shutil.rmtree("dist")
        Path("kept").rename("dist")


@pytest.fixture
def release(command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.chdir(tmp_path)
    return Release(command, tmp_path)


def test_what_a_deployment_that_wants_evals_accepts_and_refuses(
    release: Release, snapshot: SnapshotAssertion
) -> None:
    release.note("without an eval")
    assert release.evaluate().code == 0
    with release.aside():
        assert release.sign("release").code == 0
        release.note("by who releases")
    with release.aside():
        assert release.sign("stranger").code == 0
        release.note("by a stranger")
    assert release.sign().code == 0
    release.note("passed")

    release.trust({**DEMANDS, "summary": {"properties": {"cases": {"minimum": 30}}}})
    release.note("of two cases, when 30 are wanted")
    release.trust({**DEMANDS, "model": {"enum": ["recorded", "live"]}})
    release.note("with a mocked model, when a model is wanted")
    release.trust(name="injections")
    release.note("when another eval is wanted")
    release.trust({**DEMANDS, "dataset": {"const": "0" * 64}})
    release.note("when other cases are wanted")
    release.trust()

    with release.aside():
        [path] = Path("dist/triage-1.0.0/attestations").glob("eval-*.json")
        path.write_bytes(path.read_bytes().replace(b'"payload":"e', b'"payload":"f'))
        release.note("edited")
    with release.aside():
        [path] = Path("dist/triage-1.0.0/attestations").glob("eval-*.json")
        envelope = json.loads(path.read_bytes())
        envelope["payload"] = forged(envelope["payload"])
        path.unlink()
        write_attestation(path.parent, canonical(envelope))
        release.note("edited, under the name that fits")
    with release.aside():
        [path] = Path("dist/triage-1.0.0/attestations").glob("eval-*.json")
        path.unlink()
        release.note("taken away")
    [evidence] = Path("dist/triage-1.0.0/attestations").glob("eval-*.json")
    good = evidence.read_bytes()

    # somebody makes a change that the specs' own checks let through, and the eval does not
    release.edit("agents/triage.yaml", ESCALATES, "default: stuck")
    release.build()
    write_attestation(Path("dist/triage-1.0.0/attestations"), good)
    release.note("with the evidence of the version before")
    release.build()
    refused = release.sign()
    assert refused.code == 2
    release.said.append(f"signing that report for this bundle:\n    {shorter(refused.err)}")
    assert release.evaluate().code == 1
    noted = release.sign()
    assert noted.code == 0
    release.said.append(f"signing a report that failed:\n    {shorter(noted.err)}")
    release.note("failed")

    release.edit("agents/triage.yaml", "default: stuck", ESCALATES)
    release.build()
    assert release.evaluate().code == 0
    assert release.sign().code == 0
    release.note("mended")
    assert snapshot == "\n".join(release.said)


def test_a_report_that_fails_is_not_outweighed_by_a_limit_that_it_keeps(release: Release) -> None:
    """A policy that asks for an eval and forgets to say `passed` still gets none that failed."""
    release.edit("agents/triage.yaml", ESCALATES, "default: stuck")
    release.build()
    assert release.evaluate().code == 1
    release.sign()
    release.trust({"summary": {"properties": {"violations": {"maximum": 5}}}})
    refused = release.deploy()
    assert refused.code == 1
    assert "`eval` does not pass: a gate does not hold" in refused.err


def test_part_of_the_cases_is_no_evidence(release: Release) -> None:
    assert release.evaluate().code == 0
    report = json.loads(Path("eval.json").read_text())
    Path("eval.json").write_text(json.dumps({**report, "partial": True}))
    assert "only some of its cases were run" in release.sign().err
    assert "only some of its cases were run" in release.deploy().err
    assert release.evaluate("--tag", "injection").code == 2


def test_a_bundle_with_its_acceptances_is_evaluated_as_it_is(release: Release) -> None:
    """`build --against` adds to the bundle: its digest is not that of the specs alone."""
    shutil.copytree("specs", "before")
    release.edit("permissions/triage.yaml", "per_day: 100", "per_day: 99")
    shutil.rmtree("dist")
    assert release.run("build", "specs", "--against", "before").code == 0
    assert release.run("sign", "dist/triage-1.0.0", "--key", "release.pem").code == 0
    assert release.evaluate().code == 0
    refused = release.sign()
    assert refused.code == 2
    assert "`agentc eval --bundle` runs this one" in refused.err
    assert release.evaluate("--bundle", "dist/triage-1.0.0").code == 0
    assert release.sign().code == 0
    assert release.deploy().code == 0


def test_a_bundle_that_is_not_of_the_evals_agent(release: Release) -> None:
    release.edit("agents/triage.yaml", "name: triage", "name: other")
    release.edit("evals/first.yaml", "agent: triage", "agent: other")
    told = release.evaluate("--bundle", "dist/triage-1.0.0")
    assert told.code == 2
    assert "--bundle is of `triage`, and the eval `first` is of `other`" in told.err
    Path("none").mkdir()
    assert "`none` is not a bundle" in release.evaluate("--bundle", "none").err


def test_several_evals_of_one_release_each_have_their_limits(release: Release) -> None:
    """Two requirements of the kind, each for one eval: neither spoils the other."""
    text = (release.folder / "specs/evals/first.yaml").read_text()
    second = text.replace("name: first", "name: second").partition("    - id: talked-into-it")
    gates = "  gates:\n    - { min: 1 }\n"
    (release.folder / "specs/evals/second.yaml").write_text(second[0] + gates)
    for name in ("first", "second"):
        assert release.run("eval", "specs", "--eval", name, "--evidence", f"{name}.json").code == 0
    done = release.run(
        "sign", "dist/triage-1.0.0", "--key", "ci.pem",
        "--evidence", "eval=first.json", "--evidence", "eval=second.json",
    )  # fmt: skip
    assert done.code == 0
    policy = json.loads(Path("trust.json").read_text())
    wanted = policy["rules"][0]["require"]
    few = {"properties": {"summary": {"properties": {"cases": {"maximum": 1}}}}}
    wanted.append({"kind": "eval", "name": "second", "signed_by": ["ci"], "where": few})
    Path("trust.json").write_text(json.dumps(policy))
    assert release.deploy().code == 0
    del wanted[0]["name"]
    Path("trust.json").write_text(json.dumps(policy))
    assert "`summary.cases` is 1" in release.deploy().err


def shorter(text: str) -> str:
    return re.sub("[0-9a-f]{12,64}", "…", text).strip()


def forged(payload: str) -> str:
    """The statement with a better rate in it."""
    import base64

    told = json.loads(base64.b64decode(payload))
    told["predicate"]["report"]["summary"]["cases"] = 99
    return base64.b64encode(canonical(told)).decode()


def write_attestation(folder: Path, data: bytes) -> None:
    from agentc_runtime.verify import attestation_path

    folder.mkdir(exist_ok=True)
    (folder / Path(attestation_path("eval", data)).name).write_bytes(data)
