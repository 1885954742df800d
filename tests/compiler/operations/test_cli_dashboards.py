"""`agentc dashboards` from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentc.cli import invoke


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["agentc", *map(str, arguments)])
        code = invoke()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_two_files_for_each_agent(project: Any, command: Any, tmp_path: Path) -> None:
    project()
    code, out, err = command(
        "dashboards", "project", "--out", "made/here", "--runbook", "https://wiki.example/r/"
    )
    assert (code, err) == (0, "")
    assert out.split() == ["made/here/triage.dashboard.json", "made/here/triage.rules.yaml"]
    assert json.loads((tmp_path / "made/here/triage.dashboard.json").read_text())["title"] == "Agent triage"
    rules = yaml.safe_load((tmp_path / "made/here/triage.rules.yaml").read_text())["groups"][0]["rules"]
    urls = [rule["annotations"]["runbook_url"] for rule in rules]
    assert urls[0] == "https://wiki.example/r/triage.runbook.md#latency-p50"


def test_an_agent_without_objectives_is_named(project: Any, command: Any) -> None:
    project("")
    code, _, err = command("dashboards", "project")
    assert (code, err) == (0, "agent `triage` states no `slos`: its rule file has no alert\n")


@pytest.mark.parametrize(
    ("slos", "arguments", "code", "said"),
    [
        ("  slos: { success: 2 }\n", (), 1, "error[AC113]"),
        ("  slos: { sucess: 0.9 }\n", (), 1, "did you mean `success`?"),
        ("", ("--agent", "triag"), 2, "error: no agent `triag` in this project; did you mean `triage`?"),
        ("", ("--out", "project/agentc.yaml/x"), 2, "error: can't write `project/agentc.yaml/x/"),
    ],
)
def test_what_can_not_be_written(
    project: Any, command: Any, slos: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    project(slos)
    assert command("dashboards", "project", *arguments)[0] == code
    assert said in command("dashboards", "project", *arguments)[2]


def test_nothing_is_written_of_a_project_with_errors(project: Any, command: Any, tmp_path: Path) -> None:
    project("  slos: { success: 2 }\n")
    command("dashboards", "project")
    assert not (tmp_path / "dashboards").exists()
