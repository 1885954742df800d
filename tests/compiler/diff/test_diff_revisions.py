"""Sides that are git revisions: read from a real repository, with nothing checked out."""

from __future__ import annotations

import os
import subprocess

import pytest

from agentc.diff.arguments import Ambiguous, Unknown, read_argument
from agentc.diff.compare import compare
from agentc.diff.sides import SideError

LIMIT = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: %d } }
      bind: { ticket_id: "${input.ticket_id}" }
"""


@pytest.fixture
def repository(tmp_path, monkeypatch, kit):
    """A repository with a project in `desk/`: its refunds up to 50 at `main~1`, up to 80 at `main`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AGENTC_CACHE_DIR", "")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    git("init", "-q", "-b", "main")
    for limit in (50, 80):
        kit.write(folder / "desk", LIMIT % limit)
        commit(f"up to {limit}")
    return folder


def git(*words):
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *words], check=True, capture_output=True, timeout=60)


def commit(message):
    git("add", "-A")
    git("commit", "-q", "-m", message)


def diff(old, new):
    return compare(read_argument(old, new, None), read_argument(new, old, None))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("main~1", "main"),
        ("main~1", "desk"),
        ("main~1", "."),
        ("HEAD~1:desk", "HEAD"),
        ("main~1:desk", "./desk"),
        ("HEAD^", "desk/permissions.yaml"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_a_revision_is_compared(old, new):
    (change,) = diff(old, new).changes
    assert (change.code, change.how) == ("AC903", "widened")
    assert str(change.now).endswith("desk/permissions.yaml:8")


def test_what_is_not_committed_is_in_the_folder_alone(repository, kit):
    kit.write(repository / "desk", LIMIT % 90)
    assert [change.what for change in diff("main", "desk").changes] == ['may be called with {"amount":81}']
    assert diff("main", "HEAD").changes == ()


def test_documents_and_prompts_are_read_from_the_revision(repository):
    """What the work tree holds, or lacks, is nothing to a revision."""
    for path in (repository / "desk").iterdir():
        path.unlink()
    (change,) = diff("main~1:desk", "main:desk").changes
    assert change.witness is not None


def test_a_wider_api_document_is_found_though_no_permission_set_changed(repository):
    """The gain is in a file that governs nothing by itself, and the change says which."""
    from agentc.checks.base import sha256_of

    document, toolset = repository / "desk/openapi.yaml", repository / "desk/toolset.yaml"
    wide = document.read_text()
    narrow = wide.replace("currency: { type: string }", "currency: { type: string, maxLength: 3 }")
    spec = toolset.read_text()
    document.write_text(narrow)
    toolset.write_text(spec.replace(sha256_of(wide), sha256_of(narrow)))
    commit("a narrower document")
    document.write_text(wide)
    toolset.write_text(spec)
    (change,) = diff("main", "desk").changes
    assert (change.code, change.how) == ("AC903", "widened")
    assert change.cause == ("desk/openapi.yaml", "desk/toolset.yaml")


@pytest.mark.usefixtures("repository")
def test_a_folder_named_like_a_revision_is_not_taken_for_it(kit, repository):
    """Else a change could add a folder `main`, and be compared with itself."""
    kit.write(repository / "main", LIMIT % 80)
    with pytest.raises(Ambiguous, match=r"`main` is a path and a revision of git: write `\./main`"):
        read_argument("main", "desk", None)
    assert read_argument("./main", "desk", None).kind == "folder"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["nowhere", "--output=x", "-h", "", "main\n", "\0", "main:nowhere/../.."])
def test_what_names_nothing(name):
    with pytest.raises((Unknown, SideError)):
        read_argument(name, "desk", None)


def test_outside_of_a_repository(tmp_path, monkeypatch, kit):
    kit.write(tmp_path / "alone", LIMIT % 50)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Unknown, match="this is no git repository"):
        read_argument("main", "alone", None)


def test_links_are_followed_inside_the_project_only(repository, tmp_path):
    spec = repository / "desk/permissions.yaml"
    (repository / "desk/kept").mkdir()
    spec.rename(repository / "desk/kept/real.yaml")
    spec.symlink_to("kept/real.yaml")
    commit("a link")
    assert diff("main~1", "main").changes == ()
    spec.unlink()
    (repository / "desk/kept/real.yaml").rename(tmp_path / "outside.yaml")
    spec.symlink_to(tmp_path / "outside.yaml")
    commit("a link that leads out")
    with pytest.raises(SideError):
        read_argument("main", "desk~", None)


def test_a_submodule_and_a_name_that_is_no_text(repository):
    (repository / "desk" / os.fsdecode(b"\xff.yaml")).write_text("a: 1\n")
    (repository / "desk/sub.yaml").mkdir()
    git("init", "-q", "desk/sub.yaml")
    (repository / "desk/sub.yaml/a").write_text("a")
    git("-C", "desk/sub.yaml", "add", "a")
    git("-C", "desk/sub.yaml", "commit", "-q", "-m", "a")
    commit("odd names")
    assert diff("main~1:desk", "main:desk").changes == ()


def test_a_replaced_commit_is_not_what_is_compared(repository):
    """`git replace` could make the old version look like the new one."""
    git("replace", "main~1", "main")
    (change,) = diff("main~1:desk", "main:desk").changes
    assert change.code == "AC903"


def test_projects_below_a_folder_are_compared_by_their_paths(repository, kit):
    kit.write(repository / "other", LIMIT % 50)
    commit("another project")
    changes = diff("main~1", ".").changes
    assert {(change.how, change.code) for change in changes if change.agent == "other/triage"} >= {
        ("added", "AC901"),
        ("added", "AC902"),
    }
    assert {change.agent for change in changes} == {"other/triage", "other"}


@pytest.mark.usefixtures("repository")
def test_a_repository_that_git_does_not_read(monkeypatch):
    """As in a container whose user is not the owner of the clone."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(Unknown, match="git does not read the repository: detected dubious ownership"):
        read_argument("main", "desk", None)
    assert read_argument("desk", "main", None).kind == "folder"
