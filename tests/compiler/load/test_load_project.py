"""The one reader of the disk: what it reads, what it refuses, and that it never waits."""

import os
from pathlib import Path

import pytest

from agentc.checks.ac108_too_large import MAX_BYTES
from agentc.load import find_projects, load_project, read_file
from agentc.source import SourceFile

SPEC = "apiVersion: agentc/v1\nkind: Agent\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "agentc.yaml").write_text("apiVersion: agentc/v1\nkind: Project\n")
    return root


def put(root: Path, path: str, text: str | bytes = SPEC) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def load(root: Path) -> tuple[list[str], list[tuple[str, str, str]]]:
    sources, found = load_project(root)
    return list(sources.files), [(f.code, f.span.file, f.message) for f in found]


def test_spec_files_are_read_by_path_and_nothing_else(project):
    put(project, "b.yml")
    put(project, "a/tools.yaml", '{"apiVersion": "agentc/v1"}')
    put(project, "openapi.yaml", "openapi: 3.1.0\n")
    put(project, "notes.txt")
    put(project, ".hidden.yaml")
    for folder in (".git", ".venv", "node_modules", ".github", "__pycache__"):
        put(project, f"{folder}/x.yaml")
    assert load(project) == (["a/tools.yaml", "agentc.yaml", "b.yml"], [])


def test_the_project_file_is_read_whatever_it_holds(project):
    put(project, "agentc.yaml", "nothing\n")
    assert load(project) == (["agentc.yaml"], [])


def test_a_project_in_a_project_belongs_to_itself(project):
    put(project, "inner/agentc.yaml")
    put(project, "inner/deep/agent.yaml")
    put(project, "inner2/agent.yaml")
    assert load(project)[0] == ["agentc.yaml", "inner2/agent.yaml"]
    assert load(project / "inner")[0] == ["agentc.yaml", "deep/agent.yaml"]


def test_an_empty_folder(tmp_path):
    assert load(tmp_path) == (
        [],
        [("AC110", "agentc.yaml", "can't read `agentc.yaml`: there is no such file")],
    )
    assert load(tmp_path / "missing")[1][0][0] == "AC110"


def test_a_folder_where_a_file_is_expected(project):
    (project / "agentc.yaml").unlink()
    (project / "agentc.yaml").mkdir()
    (project / "charts.yaml").mkdir()
    assert load(project) == ([], [("AC110", "agentc.yaml", "can't read `agentc.yaml`: it is a folder")])


def test_a_large_file_is_refused_and_not_read_whole(project):
    with put(project, "big.yaml").open("ab") as file:
        file.truncate(50_000_000)
    with put(project, "data.yaml", "openapi: 3.1.0\n").open("ab") as file:
        file.truncate(50_000_000)
    assert load(project) == (
        ["agentc.yaml"],
        [("AC108", "big.yaml", f"the file has 50,000,000 bytes, a spec file may have {MAX_BYTES:,}")],
    )


def test_a_project_has_a_bound(project):
    for number in range(17):
        put(project, f"a{number:02}.yaml", SPEC + "#" * (MAX_BYTES - len(SPEC)))
    files, found = load(project)
    assert files == [*(f"a{number:02}.yaml" for number in range(15)), "agentc.yaml"]
    assert [finding[:2] for finding in found] == [("AC108", "a15.yaml")]


def test_a_thousand_specs(project):
    for number in range(1000):
        put(project, f"s{number % 10}/a{number}.yaml")
    files, found = load(project)
    assert len(files) == 1001
    assert files == sorted(files)
    assert not found


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_regular_file_is_not_waited_for(project, kind):
    if kind == "fifo":
        os.mkfifo(project / "pipe.yaml")
        assert load(project)[1] == [
            ("AC110", "pipe.yaml", "can't read `pipe.yaml`: it is not a regular file")
        ]
    else:
        (project / "zero.yaml").symlink_to("/dev/zero")
        assert load(project)[1] == [
            ("AC110", "zero.yaml", "can't read `zero.yaml`: it leads out of the project")
        ]


def test_links_out_of_the_project_are_refused(project):
    put(project.parent, "secret.yaml")
    (project / "link.yaml").symlink_to("../secret.yaml")
    (project / "folder").symlink_to("..")
    (project / "loop.yaml").symlink_to("loop.yaml")
    (project / "gone.yaml").symlink_to("nothing.yaml")
    assert load(project) == (
        ["agentc.yaml"],
        [
            ("AC110", "gone.yaml", "can't read `gone.yaml`: there is no such file"),
            ("AC110", "link.yaml", "can't read `link.yaml`: it leads out of the project"),
            ("AC110", "loop.yaml", "can't read `loop.yaml`: it is a link that leads to itself"),
        ],
    )


def test_links_inside_are_followed_and_a_file_is_read_once(project):
    put(project, ".data/mounted.yaml")
    put(project, "plain.yaml")
    (project / "a_link.yaml").symlink_to("plain.yaml")
    (project / "mounted.yaml").symlink_to(".data/mounted.yaml")
    assert load(project) == (["agentc.yaml", "mounted.yaml", "plain.yaml"], [])


def test_a_file_in_utf16_is_seen(project):
    put(project, "wide.yaml", SPEC.encode("utf-16"))
    assert "wide.yaml" in load(project)[0]


def test_a_name_that_is_not_utf8(project):
    handle = os.open(os.fsencode(project) + b"/\xff.yaml", os.O_WRONLY | os.O_CREAT)
    os.write(handle, SPEC.encode())
    os.close(handle)
    assert "\\xff.yaml" in load(project)[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(project):
    put(project, "closed.yaml").chmod(0)
    put(project, "shut/a.yaml").parent.chmod(0)
    assert {finding[1:] for finding in load(project)[1]} == {
        ("closed.yaml", "can't read `closed.yaml`: permission denied"),
        ("shut", "can't read `shut`: permission denied"),
    }


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.json", "there is no such file"),
        ("api", "it is a folder"),
        ("api/a.json/b", "a part of its path is a file, not a folder"),
        ("../outside.json", "it leads out of the project"),
        ("api/../../outside.json", "it leads out of the project"),
        ("link.json", "it leads out of the project"),
        ("through/outside.json", "it leads out of the project"),
        ("/etc/passwd", "an absolute path is not the same on another machine"),
        ("", "that is no path"),
        ("a\0b", "that is no path"),
        ("pipe", "it is not a regular file"),
        ("x" * 5000, "the name is too long"),
        ("big.json", "it has more than 100 bytes"),
    ],
)
def test_referenced_files_that_are_refused(project, path, reason):
    put(project, "api/a.json")
    put(project, "big.json", "x" * 101)
    put(project.parent, "outside.json")
    (project / "link.json").symlink_to("../outside.json")
    (project / "through").symlink_to("..")
    os.mkfifo(project / "pipe")
    assert read_file(project, path, limit=100) == reason


def test_referenced_files_that_are_read(project):
    put(project, "api/a.json", "x" * 100)
    for path in ("api/a.json", "./api/../api/a.json"):
        assert read_file(project, path, limit=100) == SourceFile(path, b"x" * 100)


def test_projects_at_below_and_above(tmp_path):
    repo = tmp_path / "repo"
    for path in ("specs/b/agentc.yaml", "specs/a/agentc.yaml", "specs/a/sub/x.yaml", ".old/agentc.yaml"):
        put(repo, path)
    put(repo, "docs/x.md")
    (repo / ".git").mkdir()
    put(tmp_path, "agentc.yaml")
    specs = repo.resolve() / "specs"
    assert find_projects(specs / "a") == [specs / "a"]
    assert find_projects(repo) == [specs / "a", specs / "b"]
    assert find_projects(specs / "a/sub") == [specs / "a"]
    assert find_projects(specs / "a/sub/x.yaml") == [specs / "a"]
    assert find_projects(specs / "a/agentc.yaml") == [specs / "a"]
    assert find_projects(repo / "docs") == []
    assert find_projects(tmp_path / "missing" / "path") == [tmp_path.resolve()]


def test_projects_do_not_follow_links(tmp_path):
    put(tmp_path, "elsewhere/agentc.yaml")
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/link").symlink_to("../elsewhere")
    assert find_projects(tmp_path / "repo") == []
