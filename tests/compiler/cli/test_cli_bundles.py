"""`agentc build`, `verify` and `inspect`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentc.checks.base import AGENT


@pytest.fixture
def bundle(agentc, project, folder) -> Path:
    assert agentc("build", project).code == 0
    return folder / "dist" / "triage-1.0.0"


def test_build_writes_each_agent(agentc, project, folder):
    (project / "second.yaml").write_text(AGENT.replace("name: triage", "name: second"))
    done = agentc("build", project, "--out", "out")
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["second-1.0.0", "triage-1.0.0"]
    one = agentc("build", project, "--out", "one", "--agent", "second")
    assert one.out == next(line for line in done.out.splitlines(True) if "second" in line).replace(
        "out/", "one/"
    )


def test_building_again_gives_the_same(agentc, project, bundle):
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    assert agentc("build", project).code == 0
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]


def test_a_project_with_errors_is_not_built(agentc, broken, folder):
    for command in (["build", broken], ["inspect", broken], ["run", broken]):
        done = agentc(*command)
        assert (done.code, done.out) == (1, "")
        assert "error[AC204]: unknown model `fats`" in done.err
    assert not (folder / "dist").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--agent", "triaje"], "no agent `triaje` in this project; did you mean `triage`?"),
        (
            ["--out", "taken"],
            "`taken/triage-1.0.0` exists and is not a bundle: choose another folder with --out",
        ),
        (["--out", "desk/agent.yaml/x"], "can't write `desk/agent.yaml/x/triage-1.0.0`: Not a directory"),
    ],
)
def test_builds_that_cannot_be_done(agentc, project, folder, arguments, told):
    (folder / "taken" / "triage-1.0.0").mkdir(parents=True)
    (folder / "taken" / "triage-1.0.0" / "mine").write_text("")
    done = agentc("build", project, *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert (folder / "taken" / "triage-1.0.0" / "mine").exists()


def test_a_project_without_agents(agentc, project):
    (project / "agent.yaml").unlink()
    done = agentc("build", project)
    assert (done.code, done.err) == (
        2,
        "error: the project in `desk` has no agent to build\n".replace("desk", str(project)),
    )


def test_inspect_wants_one_of_several_agents(agentc, project):
    (project / "second.yaml").write_text(AGENT.replace("name: triage", "name: second"))
    done = agentc("inspect", project)
    assert (done.code, done.err) == (2, "error: say which agent: the project has `second`, `triage`\n")
    assert agentc("inspect", project, "--agent", "second").code == 0


def test_inspect_in_words(agentc, bundle, snapshot):
    done = agentc("inspect", bundle)
    assert (done.code, done.err) == (0, "")
    assert re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", done.out) == snapshot


def test_inspect_says_the_same_of_the_project(agentc, project, bundle):
    assert agentc("inspect", project) == agentc("inspect", bundle)
    told = json.loads(agentc("inspect", bundle, "--format", "json").out)
    assert [tool["tool"] for tool in told["tools"]] == ["desk.get_ticket", "desk.refund"]


def test_verify_a_whole_bundle(agentc, bundle):
    done = agentc("verify", bundle)
    digest = re.search(r"sha256:([0-9a-f]{64})", done.out)
    assert digest is not None
    assert (done.code, done.err) == (0, "")
    assert json.loads(agentc("verify", bundle, "--format", "json").out) == {
        "ok": True, "digest": digest[1], "problem": None,
    }  # fmt: skip
    for form in (digest[1], f"sha256:{digest[1]}", digest[1].upper()):
        assert agentc("verify", bundle, "--digest", form).code == 0
    other = agentc("verify", bundle, "--digest", "0" * 64)
    assert (other.code, other.out) == (1, "")
    assert f"is sha256:{digest[1]}, not sha256:{'0' * 64}" in other.err


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda bundle: changed(bundle / "program.json"),
        lambda bundle: (bundle / "program.json").unlink(),
        lambda bundle: (bundle / "manifest.json").unlink(),
        lambda bundle: (bundle / "extra.json").write_text("{}"),
        lambda bundle: (bundle / "folder").mkdir(),
        lambda bundle: (bundle / "extra").symlink_to("program.json"),
        lambda bundle: (bundle / "program.json").write_bytes(b""),
        lambda bundle: (bundle / "manifest.json").write_bytes(b"\xff" * 10),
        lambda bundle: (bundle / "manifest.json").write_bytes(b"[" * 100_000),
    ],
    ids=[
        "changed",
        "removed",
        "no manifest",
        "added",
        "folder",
        "link",
        "empty",
        "bytes",
        "deep",
    ],
)
def test_a_bundle_that_was_tampered_with(agentc, bundle, tamper):
    tamper(bundle)
    done = agentc("verify", bundle)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: `{bundle}` does not verify: ")
    told = json.loads(agentc("verify", bundle, "--format", "json").out)
    assert told["ok"] is False
    if (bundle / "manifest.json").exists():
        for command in ("inspect", "run"):
            refused = agentc(command, bundle)
            assert (refused.code, refused.out) == (2, "")
            assert refused.err.startswith(f"error: `{bundle}` is not a bundle that can be ")


def test_a_changed_manifest_is_another_bundle(agentc, bundle):
    digest = json.loads(agentc("verify", bundle, "--format", "json").out)["digest"]
    manifest = bundle / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"owner":"support"', '"owner":"nobody"'))
    assert agentc("verify", bundle, "--digest", digest).code == 1


def test_what_is_no_bundle(agentc, project, folder):
    (folder / "file").write_text("x")
    for path in (folder / "file", project, folder):
        assert agentc("verify", path).code == 1
    assert agentc("inspect", folder / "file").code == 2
