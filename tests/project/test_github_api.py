"""An agent over a published API: GitHub's document, 13 MB and 1,223 operations, pinned and not kept."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RUN = ("--input", '{"issue": 7}', "--session", '{"owner": "acme", "repo": "list"}', "--no-store")


@pytest.fixture
def github(kit):
    """A stand-in for the API on loopback: its port, and what was changed."""
    command = [sys.executable, kit.root / "tests/support/fake_github.py", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline().rpartition(":")[2])
        yield port, lambda: [json.loads(line) for line in stop(process).splitlines()]
        process.kill()


def stop(process):
    process.terminate()
    return process.stdout.read()


def test_without_the_document_nothing_is_built(agentc, kit, tmp_path):
    project = kit.redirected(kit.root / "specs/issues", tmp_path / "issues", "GITHUB_API_URL", 9)
    assert "AC702" in agentc("validate", project).stdout
    for command in (("build", project, "--out", tmp_path / "dist"), ("run", project, *RUN)):
        said = agentc(*command, code=2).stderr
        assert said.startswith("error: agent `issue-triage` can't be built: what `github.add_labels`, ")
        assert "`openapi/api.github.com.json` is not there or can't be used" in said
    assert not (tmp_path / "dist").exists()


def test_import_validate_build_inspect_run(agentc, kit, github, github_document, tmp_path, snapshot):
    port, changes = github
    project = kit.redirected(kit.root / "specs/issues", tmp_path / "issues", "GITHUB_API_URL", port)
    pinned = (project / "toolsets/github.yaml").read_bytes()
    done = agentc("import", "openapi", github_document, "--project", project, "--toolset", "github")
    assert "1223 operations" in done.stdout
    # the document is the one that was pinned: importing it changes nothing
    assert (project / "toolsets/github.yaml").read_bytes() == pinned
    assert agentc("validate", project).stdout.startswith("no findings")

    agentc("build", project, "--out", tmp_path / "dist")
    bundle = tmp_path / "dist/issue-triage-1.0.0"
    assert kit.normal(agentc("inspect", bundle).stdout) == snapshot(name="inspect")
    # only what is granted is in it, of 13 MB
    assert sum(path.stat().st_size for path in bundle.iterdir()) < 100_000

    token = {"GITHUB_TOKEN": "stand-in-token"}
    done = agentc("run", project, *RUN, stdin="y\n", environment=token)
    assert kit.normal(done.stderr, project) == snapshot(name="run")
    assert json.loads(done.stdout) == {"asked": True, "kind": "bug"}
    assert changes() == [
        {"path": "/repos/acme/list/issues/7/labels", "labels": ["bug"]},
        {
            "path": "/repos/acme/list/issues/7/comments",
            "body": "Thank you for telling us! Which version of the list do you use?",
        },
    ]

    # the document describes no scheme, so the toolset says how the token is sent
    toolset = project / "toolsets/github.yaml"
    toolset.write_text(toolset.read_text().replace("scheme: bearer", "scheme: token"))
    said = agentc("validate", project, code=1).stdout
    assert "error[AC706]" in said
    assert "`basic`, `bearer`" in said


def test_another_document_is_not_the_pinned_one(agentc, kit, github_document, tmp_path):
    project = kit.redirected(kit.root / "specs/issues", tmp_path / "issues", "GITHUB_API_URL", 9)
    (project / "openapi").mkdir()
    text = github_document.read_text(encoding="utf-8")
    (project / "openapi/api.github.com.json").write_text(text.replace("issues/get", "issues/got", 1))
    assert "AC703" in agentc("build", project, "--out", tmp_path / "dist", code=1).stderr
