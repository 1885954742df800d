"""The CI files in the documents, their steps run in a repository whose change widens, or does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/review-a-change.md"
#: What a hosted runner has and this test stands in for; what it is called with is kept.
GH = '#!/bin/sh\necho "$*" >> gh.log\ncase "$*" in *--edit-last*) exit 1;; esac\n'


@pytest.fixture
def change(tmp_path):
    """A clone with a base and a head commit, of which the head raises the limit of refunds to `limit`."""

    def make(limit):
        shutil.copytree(ROOT / "specs/support", tmp_path / "specs/support")
        git(tmp_path, "init", "-q", "-b", "main")
        git(tmp_path, "add", "specs")
        git(tmp_path, "commit", "-q", "-m", "base")
        spec = tmp_path / "specs/support/permissions/triage.yaml"
        spec.write_text(
            spec.read_text().replace("amount: { maximum: 50 }", f"amount: {{ maximum: {limit} }}")
        )
        git(tmp_path, "commit", "-q", "--allow-empty", "-am", "head")
        return git(tmp_path, "rev-parse", "HEAD~1"), git(tmp_path, "rev-parse", "HEAD")

    return make


def git(folder, *words):
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def shell(folder, script, interpreter=("bash", "-e"), **variables):
    """One step, as a runner runs it; `pip` has nothing left to do, and `gh` is a stand-in."""
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    for name, text in (("gh", GH), ("pip", "#!/bin/sh\n")):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return subprocess.run(
        [*interpreter, "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": path, "HOME": str(folder), "AGENTC_CACHE_DIR": "", **variables},
    )  # fmt: skip


def workflow(blocks_of, name):
    (block,) = [block for block in blocks_of(PAGE) if block.file == name]
    return yaml.safe_load(block.text)


@pytest.mark.parametrize(("limit", "code", "verdict"), [(80, 1, "widened"), (40, 0, "narrowed")])
def test_the_steps_on_github(change, tmp_path, blocks_of, limit, code, verdict):
    base, head = change(limit)
    found = workflow(blocks_of, ".github/workflows/agents-diff.yml")
    assert found["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert found[True] == "pull_request"  # `on`, as YAML 1.1 reads it
    steps = [step for step in found["jobs"]["diff"]["steps"] if "run" in step]
    install, compare, comment = steps
    assert shell(tmp_path, install["run"]).returncode == 0
    done = shell(tmp_path, compare["run"], BASE=base, HEAD=head)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "report.md").read_text().startswith(f"### agentc diff\n\n**{verdict}&#58; ")
    assert comment["if"].startswith("always()")
    run = comment["run"].replace("${{ github.event.pull_request.number }}", "7")
    assert "${{" not in run
    assert shell(tmp_path, run, GH_TOKEN="x").returncode == 0
    assert (tmp_path / "gh.log").read_text().splitlines() == [
        "pr comment 7 --body-file report.md --edit-last",
        "pr comment 7 --body-file report.md",
    ]


def test_the_steps_on_gitlab(change, tmp_path, blocks_of):
    base, head = change(80)
    job = workflow(blocks_of, ".gitlab-ci.yml")["agents"]
    script = "\n".join(job["script"])
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_COMMIT_SHA": head}
    done = shell(tmp_path, script, ("sh", "-e"), **variables)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("widened: 1 widening (1 high)")
    assert all((tmp_path / path).is_file() for path in job["artifacts"]["paths"])


def test_a_base_that_is_not_set_is_no_pass(change, tmp_path, blocks_of):
    """A variable that is empty must not compare the change with itself."""
    _, head = change(80)
    script = "\n".join(workflow(blocks_of, ".gitlab-ci.yml")["agents"]["script"])
    done = shell(tmp_path, script, ("sh", "-e"), CI_COMMIT_SHA=head)
    assert done.returncode == 2
    assert "an empty name is neither a folder nor a revision" in done.stderr
