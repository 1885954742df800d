"""An agent that states every objective, and Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentc.checks.base import BASE, example_files
from agentc.driver import Result, check_project

SLOS = """\
  slos:
    window: 30m
    latency: { p50: 10s, p95: 60s }
    success: 0.9
    tool_success: 0.95
    valid_output: 0.9
    refusals: 0.2
    approvals_waiting: 3
    approval_time: 1h
    cost_per_success_usd: 0.05
    tokens_per_run: 5000
    eval_drift: 0.05
"""
AGENT = """\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: "support {{ team }}", description: Sorts tickets. }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  output: { schema: { type: object, properties: { done: { type: boolean } }, required: [done] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Result]:
    """The smallest project, with an agent that states these objectives."""

    def write(slos: str = SLOS) -> Result:
        for name, text in {**BASE, **example_files(AGENT + slos)}.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_project(tmp_path / "project")

    return write


@pytest.fixture
def promtool(tmp_path: Path) -> Any:
    """Runs `promtool`, and gives its exit code and all that it says."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")

    def run(*arguments: object) -> SimpleNamespace:
        done = subprocess.run(
            [found, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
        )
        return SimpleNamespace(code=done.returncode, said=done.stdout + done.stderr)

    return run
