"""YAML files that are no specs: what was meant to be one is found, what is somebody else's left alone."""

from __future__ import annotations

import re

import pytest

from agentc.checks.base import OPENAPI


def findings(outcome) -> list[tuple[str, str]]:
    return re.findall(r"\[(AC\d+)\]: .*\n +--> ([^:]+:\d+):", outcome.text)


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "AC116", 1),
        (b"\n\n   \n", "AC116", 1),
        (b"\xef\xbb\xbf# gone\n---\n# nothing\n...\n", "AC116", 1),
        (b"garbage", "AC116", 1),
        (b"42\n", "AC116", 1),
        (b"a: [1,\nb: }\n", "AC116", 2),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "AC116", 1),
        (b"\x00\x00\x00", "AC116", 1),
        (b"\xff\xfe\xfd\xfc", "AC116", 1),
        (b"[" * 200_000, "AC116", 1),
        (b"kind: Agent\nspec: {}\n", "AC118", 1),
        (b"apiversion: agentc/v1\nkind: Agent\nmetadata: { name: x }\n", "AC118", 2),
        (b"apiVersion: agentc.v1\nkind: Toolset\nspec: {}\n", "AC118", 1),
        (b"# x\napiVersion: AgentC/v1\nkind: Toolset\nspec: {}\n", "AC118", 2),
        (b"apiVersion: 'agentc'\nmetadata: [a]\nkind: Project\nspec:\n  - a: 1\n", "AC118", 1),
    ],
)
@pytest.mark.parametrize("times", [2])
def test_a_file_that_was_meant_to_be_a_spec_is_found(agentc, root, data, code, line, times):
    (root / "agent2.yaml").write_bytes(data)
    for _ in range(times):  # the second time from the cache
        outcome = agentc("validate")
        assert outcome.code == 1
        assert findings(outcome) == [(code, f"agent2.yaml:{line}")]
        assert " = help: " in outcome.text


def test_a_project_that_lost_its_only_agent_does_not_pass(agentc, root):
    (root / "agent.yaml").write_text("")
    outcome = agentc("validate")
    assert outcome.code == 1
    assert findings(outcome) == [("AC116", "agent.yaml:1")]
    (root / "agent.yaml").unlink()
    outcome = agentc("validate")
    assert [code for code, _ in findings(outcome)] == ["AC117"]
    assert agentc("validate", "--strict").code == 1


FOREIGN = {
    "other.openapi.yaml": OPENAPI,
    "swagger.yml": "swagger: '2.0'\ninfo: {}\npaths: {}\n",
    "api.lock.yaml": "files: {}\nmain: x\nsha256: y\n---\nopenapi: 3.1.0\n",
    "fix.overlay.yaml": "overlay: 1.0.0\ninfo: {}\nactions: []\n",
    "recording.yaml": "- { request: {}, response: {} }\n",
    "docker-compose.yml": "services: { db: { image: postgres } }\n",
    "k8s.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n---\napiVersion: v1\nkind: Service\n",
    "argo.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Project\nmetadata: {}\nspec: {}\n",
    "elastic.yaml": "apiVersion: agent.k8s.elastic.co/v1alpha1\nkind: Agent\nmetadata: {}\nspec: {}\n",
    "kind.yaml": "kind: Agent\nname: somebody else's\n",
    "cloudformation.yaml": "Resources: { A: !Ref B, C: !Sub '${D}' }\n",
    "mkdocs.yml": "plugins: [x]\nemoji: !!python/name:x.y\n",
    "chart/templates/x.yaml": "{{- if .Values.x }}\na: {{ .Values.a }}\n{{ end }}\n",
    "playbook.yml": "- hosts: all\n  tasks: [{ name: 'x', shell: 'echo {{ y }}' }]\n{% raw %}\n",
    "anchors.yaml": "a: &x { b: 1 }\nc: *x\nd: { <<: *x }\n",
    "duplicates.yaml": "a: 1\na: 2\n",
    "values.yaml": "# a comment\na:\n",
    ".gitlab-ci.yml": "",
    ".github/workflows/ci.yaml": "",
    "node_modules/x/empty.yaml": "",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_somebody_elses_is_left_alone(agentc, root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(FOREIGN[name])
    assert agentc("validate", "--strict") == (0, "no findings in 5 files\n")


def test_a_file_that_a_spec_refers_to_is_not_stray(agentc, root):
    """An empty prompt has a finding of its own, and the document's."""
    (root / "prompt.yaml").write_text("Help the customer.\n")
    agent = (root / "agent.yaml").read_text()
    (root / "agent.yaml").write_text(
        agent.replace("instructions: Help the customer.", "instructions: { file: prompt.yaml }")
    )
    assert agentc("validate").code == 0
    (root / "openapi.yaml").write_text("")
    assert "AC116" not in agentc("validate").text


def test_a_part_of_a_document_is_not_stray(agentc, root):
    (root / "part.yaml").write_text("just a text that somebody refers to\n")
    (root / "openapi.lock.yaml").write_text("files: {}\nmain: openapi.yaml\nsha256: 0\n")
    assert ("AC116", "part.yaml:1") in findings(agentc("validate"))
    (root / "openapi.lock.yaml").unlink()


def test_a_project_may_say_that_it_is_meant_so(agentc, root):
    (root / "empty.yaml").write_text("")
    (root / "almost.yaml").write_text("kind: Agent\nspec: {}\n")
    project = (root / "agentc.yaml").read_text()
    (root / "agentc.yaml").write_text(project + "  rules: { AC116: ignore, AC118: warning }\n")
    outcome = agentc("validate")
    assert outcome.code == 0
    assert findings(outcome) == [("AC118", "almost.yaml:1")]


def test_a_file_that_changes_is_looked_at_again(agentc, root):
    other = root / "other.yaml"
    for data, code in ((b"a: 1\n", 0), (b"", 1), (b"a: 1\n", 0), (b"a: [", 1)):
        other.write_bytes(data)
        assert agentc("validate").code == code, data
