"""Mistakes that authors make, and what they are told: each case is a file, each answer a snapshot.

A case is laid over the base project of the rules (`agentc.checks.base`), as the rules' own examples are.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from agentc.checks.base import example_files
from agentc.driver import check_project
from agentc.report import render
from agentc.report.findings import Report

FOLDER = Path(__file__).parent
CASES = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.glob("*/*.yaml"))
}


def test_the_collector_finds_the_cases() -> None:
    assert len(CASES) >= 25
    assert {name.partition("/")[0] for name in CASES} >= {
        "syntax",
        "names",
        "types",
        "permissions",
        "workflow",
    }


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    for path, text in example_files(CASES[name].read_text(encoding="utf-8")).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    result = check_project(tmp_path)
    text = render("text", [Report("", result.diagnostics, result.files)])
    assert text == snapshot(name=name)
    # The data formats tell the same.
    told = json.loads(render("json", [Report("", result.diagnostics, result.files)]))
    assert [row["code"] for row in told] == [finding.code for finding in result.diagnostics]
