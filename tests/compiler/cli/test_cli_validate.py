"""`agentc validate`: exit codes, formats, where the report goes, and colour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest


def test_exit_codes(agentc, project, broken, edit):
    assert agentc("validate", project).code == 1
    edit(project / "agent.yaml", "model: fats", "model: fast")
    warned = agentc("validate", project)
    assert (warned.code, warned.err) == (0, "")
    assert warned.out.startswith("warning[AC408]: ")
    assert agentc("validate", project, "--strict").code == 1


def test_a_project_without_findings(agentc, project):
    assert agentc("validate", project) == (0, "no findings in 5 files\n", "")
    assert agentc("validate", "--strict") == (0, "no findings in 5 files\n", "")


def test_formats_tell_the_same(agentc, broken):
    text = agentc("validate", broken)
    rows = json.loads(agentc("validate", broken, "--format", "json").out)
    sarif = json.loads(agentc("validate", broken, "--format", "sarif").out)
    junit = ElementTree.fromstring(agentc("validate", broken, "--format", "junit").out)
    github = agentc("validate", broken, "--format", "github").out
    codes = ["AC204", "AC408"]
    assert [row["code"] for row in rows] == codes
    assert [row["file"] for row in rows] == ["desk/agent.yaml", "desk/permissions.yaml"]
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == codes
    assert {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]} >= set(codes)
    assert all(code in text.out and code in ElementTree.tostring(junit, "unicode") for code in codes)
    assert "::error " in github
    assert "::warning " in github
    for form in ("json", "sarif", "junit", "github"):
        assert agentc("validate", broken, "--format", form).code == 1


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "junit"])
def test_output_goes_to_a_file_with_the_same_text(agentc, broken, form, folder):
    shown = agentc("validate", broken, "--format", form)
    assert agentc("validate", broken, "--format", form, "--output", "report") == (1, "", "")
    assert (folder / "report").read_text(encoding="utf-8") == shown.out


def test_output_that_cannot_be_written(agentc, project):
    done = agentc("validate", project, "--output", "no/such/folder/report")
    assert (done.code, done.err) == (
        2,
        "error: can't write `no/such/folder/report`: No such file or directory\n",
    )


def test_every_project_below_a_folder_is_checked_once(agentc, project, folder):
    other = folder / "other"
    project.rename(other)
    project.mkdir()
    for path in other.iterdir():
        (project / path.name).write_bytes(path.read_bytes())
    for arguments in ([folder], [project, other], [folder, other / "agent.yaml"], []):
        assert agentc("validate", *arguments) == (0, "no findings in 10 files\n", "")


def test_a_file_stands_for_its_project(agentc, broken, monkeypatch):
    whole = agentc("validate", broken)
    assert agentc("validate", broken / "toolset.yaml") == whole
    monkeypatch.chdir(broken)
    inside = agentc("validate")
    assert inside.out == whole.out.replace("desk/", "")


def test_paths_outside_the_current_folder_are_shown_in_full(agentc, broken, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    rows = json.loads(agentc("validate", broken, "--format", "json").out)
    assert rows[0]["file"] == (broken / "agent.yaml").as_posix()


def on_terminal(folder: Path, *arguments: str, **environment: str) -> bytes:
    terminal, end = os.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "agentc", "validate", *arguments],
        stdout=end, stderr=end, stdin=end, cwd=folder, env={**os.environ, **environment},
    )  # fmt: skip
    os.close(end)
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:
        pass  # how Linux says that the other end is closed
    finally:
        os.close(terminal)
    assert done.wait(30) == 1
    return shown


def test_colour_is_for_terminals(agentc, broken, folder):
    assert "\x1b[" not in agentc("validate", broken).out
    assert b"\x1b[1;31merror[AC204]" in on_terminal(folder)
    assert b"\x1b[" not in on_terminal(folder, NO_COLOR="1")
    assert b"\x1b[" not in on_terminal(folder, "--format", "json")
