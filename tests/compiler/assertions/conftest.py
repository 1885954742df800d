"""Projects with assertions, and agents with random grants that assertions are decided about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentc.checks.base import example_files
from agentc.driver import Result, check_project
from agentc.lowered import Lowered, lower_agents

ASSERTED = """\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: security, version: 1.0.0, owner: security }
spec:
"""
GRANTED = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
"""


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.strip().splitlines())


@pytest.fixture
def check(tmp_path: Path) -> Callable[[str], Result]:
    """The result of a project, over `files` like a rule's example has."""

    def run(files: str) -> Result:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        root.mkdir()
        for name, text in example_files(files).items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return check_project(root)

    return run


@pytest.fixture
def broken(check) -> Callable[..., list[str]]:
    """The findings, as `CODE message`, where these are the keys of the assertion set and of the grant."""

    def run(asserted: str, grant: str = "where: { amount: { maximum: 50 } }", files: str = "") -> list[str]:
        project = ASSERTED + indented(asserted, 2) + GRANTED + indented(grant, 6) + files
        found = check(project).diagnostics
        return [f"{one.code} {one.message}" for one in found if one.level == "error"]

    return run


@pytest.fixture
def lowered(check) -> Lowered:
    """The agent of the base project."""
    return lower_agents(check(GRANTED + "      where: { amount: { maximum: 50 } }\n").program)["triage"]
