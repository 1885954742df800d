"""`agentc docs`: pages that follow the specs, with commands that exist and names that runs really tell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from agentc.cli import cli
from agentc.driver import check_project
from agentc.operations.alerts import alert_rules, anchor
from agentc.operations.handbook import readme
from agentc.operations.objectives import objectives
from agentc.operations.runbook import _POSSIBLE, runbook
from agentc.pipeline import bundle_files
from agentc_runtime.refusals import RULES
from agentc_runtime.telemetry import names
from agentc_runtime.verify import load_bundle

SUPPORT = Path(__file__).parents[3] / "specs/support"


def pages(result: Any) -> tuple[str, str]:
    agent = result.program.agents["triage"]
    bundle = load_bundle(bundle_files(result, agent))
    return readme(result, agent, bundle), runbook(result, agent, bundle.program)


def test_page_and_runbook_of_an_agent(project: Any, snapshot: Any) -> None:
    page, book = pages(project())
    assert page == snapshot
    # which rules there are is looked at below: the table grows with each
    assert re.sub(r"^\| AR\d+ \|.*\n", "", book, flags=re.MULTILINE) == snapshot


def commands(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return lines + re.findall(r"`(agentc [^`]+)`", text)


def test_every_command_in_them_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page, book = pages(check_project(SUPPORT))
    found = commands(page) + commands(book)
    assert len(found) > 15
    for line in found:
        words = shlex.split(line)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            under = command.get_command(click.Context(command), words.pop(0))
            assert under is not None, line
            command = under
        # a command keeps its help option: it must be the one that it has below `agentc`
        parser = command.make_parser(click.Context(command, help_option_names=["-h", "--help"]))
        parser.parse_args(words)  # an option that is not there raises


def test_the_names_in_the_runbook_are_those_that_runs_tell() -> None:
    _, book = pages(check_project(SUPPORT))
    told = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    told |= {metric.name for metric in names.METRICS}
    named = set(re.findall(r"`((?:gen_ai|agentc|code|error)\.[a-z_.]+)`", book))
    assert len(named) > 8
    assert named - told == set()


def test_alerts_link_to_headings_of_the_runbook(project: Any) -> None:
    result = project()
    agent = result.program.agents["triage"]
    _, book = pages(result)
    headings = {
        line.removeprefix("### ").lower().replace(" ", "-") for line in book.splitlines() if line[:3] == "###"
    }
    slos = agent.spec.slos
    assert {anchor(objective) for objective in objectives("triage", slos)} == headings
    for heading in headings:
        assert f"u/triage.runbook.md#{heading}" in alert_rules(agent, "u/triage.runbook.md")


def test_rules_that_can_not_refuse_anything_of_this_agent_are_left_out(project: Any) -> None:
    _, book = pages(project())
    shown = set(re.findall(r"^\| (AR\d+) \|", book, re.MULTILINE))
    assert {"AR101", "AR201", "AR404", "AR503"} <= shown
    assert not shown & {"AR204", "AR305", "AR508", "AR509", "AR512", "AR540"}
    assert _POSSIBLE.keys() <= RULES.keys()


def test_an_agent_without_objectives_has_a_runbook_without_alerts(project: Any) -> None:
    assert "The agent states no `slos`, so there is none." in pages(project(""))[1]


def test_what_specs_say_is_no_markup(project: Any) -> None:
    result = project()
    path = result.program.root / "agent.yaml"
    path.write_text(path.read_text().replace("Sorts tickets.", '"<script>|`x`[a](b)"'))
    page, _ = pages(check_project(result.program.root))
    assert "<script>" not in page
    assert "[a](b)" not in page


def test_the_command_writes_and_checks(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from agentc.cli import invoke

    project()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))

    def docs(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["agentc", "docs", "project", "--out", "pages", *more])
        code = invoke()
        said = capsys.readouterr()
        return code, said.out, said.err

    stale = "is not what the specs say: run `agentc docs` again"
    assert docs("--check") == (1, "", f"pages/triage.md {stale}\npages/triage.runbook.md {stale}\n")
    assert docs() == (0, "pages/triage.md\npages/triage.runbook.md\n", "")
    assert docs("--check") == (0, "", "")
    spec = tmp_path / "project/agent.yaml"
    spec.write_text(spec.read_text().replace("Sorts tickets.", "Sorts letters."))
    assert docs("--check") == (1, "", f"pages/triage.md {stale}\n")
    assert docs("--agent", "triag")[0] == 2
    spec.write_text(spec.read_text().replace("model: fast", "modell: fast"))
    assert docs()[0] == 1
