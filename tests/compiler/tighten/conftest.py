"""Projects with runs recorded in a real store, and what `tighten` proposes for them."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from agentc.checks.base import example_files
from agentc.driver import check_loaded
from agentc.load import load_project
from agentc.lowered import lower_agents
from agentc.tighten import Project, Proposal, tighten
from agentc_runtime.history import PastRun, read_runs

DIGEST = "d" * 64
PAST_RUNS = Path(__file__).parents[2] / "support" / "past_runs.py"
record_runs = runpy.run_path(str(PAST_RUNS))["record_runs"]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Project]:
    """A project, over `files` like a rule's example has, as `tighten` takes it."""

    def make(files: str, agent: str = "triage") -> Project:
        root = tmp_path / f"project-{len(list(tmp_path.iterdir()))}"
        root.mkdir()
        for name, text in example_files(files).items():
            (root / name).write_text(text)
        return loaded(root, agent)

    return make


def loaded(root: Path, agent: str) -> Project:
    sources, found = load_project(root)
    result = check_loaded(sources, found)
    assert result.ok, result.diagnostics
    return Project(sources, found, result, lower_agents(result.program)[agent], None)


@pytest.fixture
def propose(tmp_path: Path) -> Callable[..., Proposal]:
    """What is proposed for a project after these runs; `at_least` is 2 unless said."""

    def run(project: Project, runs: Iterable[list[tuple[Any, ...]]], **options: Any) -> Proposal:
        told = {name: options.pop(name) for name in ("given", "session", "days") if name in options}
        path = tmp_path / f"runs-{len(list(tmp_path.iterdir()))}.db"
        past: list[PastRun] = [*read_runs(record_runs(path, runs, bundle=DIGEST, **told))]
        return tighten(project, DIGEST, past, **{"at_least": 2, **options})

    return run
