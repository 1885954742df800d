"""`agentc validate` on the example projects, in every format, and on one with a mistake."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree

import pytest


@pytest.fixture
def specs(kit, tmp_path):
    """The example projects as a clean clone has them."""
    left_out = shutil.ignore_patterns("__pycache__", "api.github.com.json")
    return shutil.copytree(kit.root / "specs", tmp_path / "specs", ignore=left_out)


def test_a_clean_clone_has_one_warning(agentc, specs, snapshot):
    assert agentc("validate", "specs", cwd=specs.parent).stdout == snapshot


def test_every_format(agentc, specs):
    def said(name, **more):
        return agentc("validate", "specs", "--format", name, cwd=specs.parent, **more).stdout

    assert json.loads(said("json"))
    (run,) = json.loads(said("sarif"))["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["AC702"]
    assert said("github").startswith("::warning file=specs/issues/toolsets/github.yaml,line=")
    assert ElementTree.fromstring(said("junit")).tag == "testsuites"

    permissions = specs / "support/permissions/triage.yaml"
    permissions.write_text(permissions.read_text().replace("helpdesk.refund", "helpdesk.refnud"))
    assert "did you mean `helpdesk.refund`?" in said("text", code=1)
    assert "::error file=specs/support/permissions/triage.yaml,line=19" in said("github", code=1)


def test_a_project_with_errors_is_not_built(agentc, specs, tmp_path):
    permissions = specs / "support/permissions/triage.yaml"
    permissions.write_text(permissions.read_text().replace("maximum: 50", "maximun: 50"))
    said = agentc("build", specs / "support", "--out", tmp_path / "dist", code=1).stderr
    assert "maximun" in said
    assert not (tmp_path / "dist").exists()
