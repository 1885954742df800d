"""Two versions of a project, and what changed between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agentc.checks.base import example_files
from agentc.diff.compare import compare
from agentc.diff.sides import project_side
from agentc.diff.values import Delta, Side
from agentc.driver import check_project

PERMISSIONS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
"""


def write(folder: Path, files: str) -> Path:
    """A project out of files like a rule's example has."""
    for name, text in example_files(files).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def side(folder: Path, files: str) -> Side:
    return project_side(folder.name, [("", "", check_project(write(folder, files)))])


@pytest.fixture
def differ(tmp_path: Path) -> Callable[[str, str], Delta]:
    """The delta between two projects, each given as files like a rule's example has."""

    def run(old: str, new: str) -> Delta:
        number = len(list(tmp_path.iterdir()))
        return compare(side(tmp_path / f"old{number}", old), side(tmp_path / f"new{number}", new))

    return run


@pytest.fixture
def grants(differ) -> Callable[[str, str], Delta]:
    """The delta between two grants of `desk.refund`, given by their keys."""

    def run(old: str, new: str) -> Delta:
        def lines(text: str) -> str:
            return PERMISSIONS + "".join(f"      {line}\n" for line in text.strip().splitlines())

        return differ(lines(old), lines(new))

    return run


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Helpers that are no fixtures of their own."""
    return SimpleNamespace(write=write, side=side)
