"""Bundles out of small permission sets over the base project of the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentc.checks.base import example_files
from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.verify import Bundle, load_bundle

GRANTS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
"""


@pytest.fixture
def bundle_of(tmp_path: Path) -> Callable[..., Bundle]:
    """The bundle whose grant of `desk.refund` has these lines, over `files` like a rule's example has."""

    def build(grant: str, files: str = "") -> Bundle:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        root.mkdir()
        lines = "".join(f"      {line}\n" for line in grant.strip().splitlines())
        for name, text in example_files(files + GRANTS + lines).items():
            (root / name).write_text(text)
        result = check_project(root)
        assert result.ok, [(one.code, one.message) for one in result.diagnostics]
        return load_bundle(bundle_files(result, next(iter(result.program.agents.values()))))

    return build
