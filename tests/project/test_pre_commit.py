"""The hook of this repository, run by pre-commit itself in a repository of an author.

`language: system` runs the agentc under test in place of one that pre-commit would install.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HOOKS = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
BIN = Path(sys.executable).parent


@pytest.fixture
def author(tmp_path):
    """A shell in a Git repository with a project in `specs`, and our hook on its commits."""
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / "kept"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    folder = tmp_path / "team"
    folder.mkdir()

    def run(*command):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    [hook] = yaml.safe_load(HOOKS.read_text())
    ours = {"repo": "local", "hooks": [{**hook, "language": "system", "args": ["specs"]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [ours]}))
    run("git", "init", "--quiet")
    run("agentc", "init", "specs")
    run("git", "add", ".")
    return folder, run


def test_pre_commit_reads_our_hooks(author):
    _, run = author
    assert run("pre-commit", "validate-manifest", str(HOOKS)) == (0, "")


def test_commit_that_breaks_a_spec_is_stopped(author):
    folder, run = author
    code, printed = run("pre-commit", "run")
    assert code == 0, printed
    assert "agentc validate" in printed
    assert "Passed" in printed

    grants = folder / "specs" / "permissions.yaml"
    grants.write_text(grants.read_text().replace("apiVersion: agentc/v1", "apiVersion: agentc/v9"))
    run("git", "add", ".")
    code, printed = run("pre-commit", "run")
    assert code == 1
    assert "specs/permissions.yaml" in printed


def test_commit_without_specs_is_not_held_up(author):
    folder, run = author
    run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "first")
    (folder / "main.py").write_text("print()\n")
    run("git", "add", ".")
    code, printed = run("pre-commit", "run")
    assert code == 0
    assert "Skipped" in printed
