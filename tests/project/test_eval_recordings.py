"""The recorded evals of the example projects: offline, exact, and honest about what has changed since."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KEYS = {"OPENAI_API_KEY": "key-of-the-recording", "ANTHROPIC_API_KEY": "key-of-the-recording"}


@pytest.fixture(scope="module")
def support() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    yield import_module
    sys.path.remove(str(ROOT / "tests" / "support"))


def agentc(*arguments: object, **environment: str) -> tuple[int, str, str]:
    known = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN"))}
    done = subprocess.run(
        [sys.executable, "-m", "agentc", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**known, **environment},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "specs" / "support", folder / "support")
    return folder / "support"


def test_the_committed_recording_passes_without_a_key(tmp_path: Path) -> None:
    project = copied(tmp_path)
    code, out, err = agentc("eval", project, "--eval", "triage", "--format", "json")
    assert (code, err) == (0, ""), out + err
    report = json.loads(out)
    assert report["summary"]["cases"] >= 30
    assert set(report["summary"]["slices"]) >= {"success", "edge", "refusal", "injection", "tool-failure"}
    again = json.loads(agentc("eval", project, "--eval", "triage", "--format", "json")[1])
    for one in (report, again):
        text = re.sub(r'"(seconds|latency_p\d\d)": [0-9.e-]+', "", json.dumps(one))
        assert text == re.sub(r'"(seconds|latency_p\d\d)": [0-9.e-]+', "", json.dumps(report))


def test_the_committed_recording_is_in_step_with_the_stand_in(support: Any) -> None:
    committed = (ROOT / "specs/support/recordings/evals/triage.jsonl").read_bytes()
    assert support("record_evals").record("support", None) == committed, "run tests/support/record_evals.py"
    for secret in KEYS.values():
        assert secret.encode() not in committed


def test_a_changed_prompt_says_what_is_stale_and_only_that_is_recorded_again(
    support: Any, tmp_path: Path
) -> None:
    project = copied(tmp_path)
    agent = project / "agents" / "triage.yaml"
    agent.write_text(agent.read_text().replace("two or three sentences.", "in two or three sentences."))
    code, out, _ = agentc("eval", project, "--eval", "triage", "--format", "json")
    report = json.loads(out)
    stale = report["summary"]["stale"]
    assert code == 1
    assert [cause["cause"] for cause in report["causes"]] == ["stale: the prompt of the state is another one"]
    assert 0 < len(stale) < report["summary"]["cases"]
    (reason,) = next(case["reasons"] for case in report["cases"] if case["id"] == stale[0])
    assert "two or three sentences" in reason
    assert "is not on the cassette" in reason
    prompt = project / "prompts" / "triage.md"
    text = prompt.read_text()
    prompt.write_text(text.replace("web shop's", "shop's"))
    whole = json.loads(agentc("eval", project, "--eval", "triage", "--format", "json")[1])
    assert [cause["cause"] for cause in whole["causes"]] == ["stale: the instructions are others"]
    prompt.write_text(text)

    with support("stand_in").StandIn() as model:
        before = (project / "agentc.yaml").read_text(), (project / "assertions.yaml").read_text()
        support("record_evals").behind(project, model.url)
        code, out, err = agentc(
            "eval", project, "--eval", "triage", "--record", "stale", "--format", "json", **KEYS
        )
        assert code == 0, out + err
        asked = {re.search(r"T-\d+", json.dumps(one.body))[0] for one in model.requests}  # type: ignore[index]
        cases = {case["id"] for case in report["cases"]}
        assert len(asked) == len(stale) < len(cases)
        (project / "agentc.yaml").write_text(before[0])
        (project / "assertions.yaml").write_text(before[1])
    assert agentc("eval", project, "--eval", "triage")[0] == 0


def test_without_a_key_nothing_is_recorded(tmp_path: Path) -> None:
    project = copied(tmp_path)
    recording = project / "recordings/evals/triage.jsonl"
    before = recording.read_bytes()
    code, out, err = agentc("eval", project, "--eval", "triage", "--record", "all")
    assert (code, out) == (2, "")
    assert "OPENAI_API_KEY" in err
    assert recording.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is malformed in line 1"),
        ('{"format": "agentc.eval-recording/9"}\n', "does not have the format `agentc.eval-recording/1`"),
        ('{"format": "agentc.eval-recording/1"}\n{"row": "part"}\n', "is malformed in line 2"),
        ('{"format": "agentc.eval-recording/1"}\n\n[[[[', "is malformed in line 3"),
    ],
)
def test_a_broken_recording_is_said(tmp_path: Path, text: str, told: str) -> None:
    project = copied(tmp_path)
    (project / "recordings/evals/triage.jsonl").write_text(text)
    code, _, err = agentc("eval", project, "--eval", "triage")
    assert code == 2
    assert told in err


def test_without_a_recording_every_case_says_so(tmp_path: Path) -> None:
    project = copied(tmp_path)
    (project / "recordings/evals/triage.jsonl").unlink()
    code, out, _ = agentc("eval", project, "--eval", "triage", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert len(report["summary"]["stale"]) == report["summary"]["cases"]
    assert report["causes"][0]["cause"] == "stale: it was never recorded: record with `--record stale`"


def test_the_issues_project_passes_over_the_published_document(
    kit: Any, github_document: Path, tmp_path: Path
) -> None:
    project = tmp_path / "issues"
    shutil.copytree(ROOT / "specs" / "issues", project, ignore=shutil.ignore_patterns("openapi"))
    assert agentc("import", "openapi", github_document, "--project", project, "--toolset", "github")[0] == 0
    code, out, err = agentc("eval", project, "--format", "json")
    assert code == 0, out + err
    report = json.loads(out)
    assert report["summary"]["cases"] >= 30
    assert set(report["summary"]["slices"]) >= {"success", "edge", "refusal", "injection", "tool-failure"}
    assert report["coverage"]["tools"]["missing"] == []
    assert report["coverage"]["states"]["missing"] == []
