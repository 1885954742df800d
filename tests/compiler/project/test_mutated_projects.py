"""The law of the compiler: a project is told what is wrong with it, or it builds and its bundle verifies.

The base project of the rules' examples and a project with a workflow are changed at random places: a key or
item is dropped, doubled, renamed, or its value replaced. Nothing that comes out may crash a stage.
"""

from __future__ import annotations

import copy
import json
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.checks.base import BASE
from agentc.diagnostics import Diagnostic
from agentc.driver import Result, check_project
from agentc.pipeline import bundle_files
from agentc_runtime.verify import load_bundle

WORKFLOW = """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  fallbacks: [fast]
  instructions: "Help with {{ input.ticket_id | upper }}."
  input:
    trust: untrusted
    schema:
      type: object
      properties: { ticket_id: { type: string, pattern: "T-[0-9]+" } }
      required: [ticket_id]
  session:
    sensitivity: confidential
    schema: { type: object, properties: { language: { enum: [en, de] } }, required: [language] }
  output:
    schema: { type: object, properties: { outcome: { type: string } }, required: [outcome] }
  permissions: [triage]
  limits: { cost_usd: 0.5, steps: 9, time: 5m }
  workflow:
    start: read
    states:
      read:
        type: tool
        tool: desk.get_ticket
        arguments: { ticket_id: "${input.ticket_id}" }
        catch: [{ errors: [any], next: failed }]
        next: judge
      judge:
        type: model
        prompt: "{% if states.read.output.subject %}{{ states.read.output.subject }}{% endif %}"
        output:
          schema:
            type: object
            properties: { refund: { type: boolean }, amount: { type: number } }
            required: [refund]
        retry: { max_attempts: 2, errors: [model_error] }
        catch: [{ next: failed }]
        next: choose
      choose:
        type: choice
        choices:
          - { value: "${states.judge.output.refund}", when: { const: true }, next: pay }
        default: done
      pay:
        type: agent
        prompt: Pay.
        tools: [desk.refund]
        turns: 3
        catch: [{ errors: [any], next: failed }]
        next: done
      done: { type: end, output: { outcome: done } }
      failed: { type: end, output: { outcome: failed } }
"""

PERMISSIONS = """\
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
      quota: { per_run: 3 }
    - tool: desk.refund
      where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }
      bind: { ticket_id: "${input.ticket_id}" }
      approval: { when: { amount: { exclusiveMinimum: 20 } }, by: [leads], expires: 24h }
      quota: { per_day: 10 }
  flows: { untrusted_to_effect: approve }
"""

PROJECTS = {"base": BASE, "workflow": BASE | {"agent.yaml": WORKFLOW, "permissions.yaml": PERMISSIONS}}

#: Values and names of which one at least is wrong wherever it is put.
WORDS = [
    "", "x", "fast", "triage", "desk.refund", "desk.get_ticket", "done", "failed", "pay", "judge",
    "any", "allow", "deny", "read", "send", "object", "number", "string", "${input.ticket_id}",
    "${states.judge.output}", "${states.judge.output.amount}", "${env.DESK_URL}",
    "${secrets.desk_token}", "${session.language}", "${", "${a.b}", "{{ input }}",
    "{{ session.language }}", "{{ states.read.output }}", "{% for x in input %}{{ x }}{% endfor %}",
    "{% include 'openapi.yaml' %}", "{{", "[", "(a+)+", "1.0.0", "0s", "99999999d",
    "http://127.0.0.1:8080", "https://example.com", "../x", "/etc/passwd", "openapi.yaml",
    "agentc.yaml", "getTicket", "createRefund", "POST /refunds", "bearerAuth", "leads", "AC401",
    "\x00", "\ud7ff", "日本", "a\nb", "#/$defs/x",
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        [None, True, False, 0, 1, -1, 0.5, 1e308, 2**53, 2**64, 10**400, float("inf"), float("nan"), [], {}]
    ),
    st.sampled_from([["x"], [None], [["x"]], {"x": {}}, {"type": "object"}, {"$ref": "#"}, {"enum": []}]),
    st.sampled_from([{"const": 1.5}, {"type": ["string", "null"]}, {"not": {}}, {"anyOf": [{}, False]}]),
)
KEYS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        ["type", "default", "where", "bind", "approval", "when", "by", "tools", "catch", "retry", "output",
         "schema", "next", "file", "sha256", "fields", "undo", "reason", "policy", "temperature", "base_url",
         "amount", "rules"]
    ),
)  # fmt: skip


def places(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything inside a tree."""
    found: list[tuple[str | int, ...]] = []
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in pairs:
        found += [(*path, step), *places(value, (*path, step))]
    return found


def value_for(data: st.DataObject) -> object:
    return copy.deepcopy(data.draw(VALUES, label="value"))


def mutate(tree: dict[str, object], data: st.DataObject) -> None:
    """One change at one place."""
    path = data.draw(st.sampled_from(places(tree)), label="at")
    parent: object = tree
    for step in path[:-1]:
        parent = parent[step]  # type: ignore[index]
    last = path[-1]
    change = data.draw(st.sampled_from(["drop", "replace", "rename", "add", "copy"]), label="change")
    if change == "drop":
        del parent[last]  # type: ignore[attr-defined]
    elif change == "replace":
        parent[last] = value_for(data)  # type: ignore[index]
    elif isinstance(parent, list):
        value = parent[last] if change == "copy" else value_for(data)  # type: ignore[index]
        parent.insert(int(last), copy.deepcopy(value))
    elif isinstance(parent, dict):
        key = data.draw(KEYS, label="key")
        value = value_for(data) if change == "add" else copy.deepcopy(parent[last])
        if change == "rename":
            del parent[last]
        parent[key] = value


def check(files: dict[str, str]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        return check_project(Path(folder))


def well_formed(finding: Diagnostic, result: Result) -> bool:
    lines = result.files[finding.span.file].lines
    return (
        1 <= finding.span.line <= len(lines)
        and 1 <= finding.span.column <= len(lines[finding.span.line - 1]) + 1
        and (finding.span.end_line, finding.span.end_column) > (finding.span.line, finding.span.column)
        and not re.search(r"pydantic|Traceback|<class|\bdict\b|\btuple\b|\bNone\b", finding.message)
    )


def holds(files: dict[str, str]) -> None:
    result = check(files)
    found = result.diagnostics
    assert len(set(found)) == len(found)
    assert list(found) == sorted(
        found, key=lambda f: (f.span.file, f.span.line, f.span.column, f.code, f.message)
    )
    assert [finding for finding in found if not well_formed(finding, result)] == []
    if result.ok:
        for agent in result.program.agents.values():
            bundle = load_bundle(bundle_files(result, agent))
            assert bundle.program.agent.name == agent.resource.name


@pytest.mark.parametrize("name", PROJECTS)
def test_projects_that_are_changed_have_no_findings_before(name: str) -> None:
    assert check(PROJECTS[name]).diagnostics == ()
    holds(PROJECTS[name])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_changed_project_has_a_finding_or_builds(data: st.DataObject) -> None:
    files = dict(PROJECTS[data.draw(st.sampled_from(sorted(PROJECTS)), label="project")])
    name = data.draw(st.sampled_from(sorted(files)), label="file")
    tree = yaml.safe_load(files[name])
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        if places(tree):
            mutate(tree, data)
    # JSON is YAML: every value comes out as it was put in.
    files[name] = json.dumps(tree, indent=1, ensure_ascii=False, default=str)
    if name == "openapi.yaml":
        files["toolset.yaml"] = re.sub(r", sha256: \w+", "", files["toolset.yaml"])
    holds(files)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_project_with_changed_text_has_a_finding_or_builds(data: st.DataObject) -> None:
    files = dict(PROJECTS["workflow"])
    name = data.draw(st.sampled_from(sorted(files)), label="file")
    text = files[name]
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        start = data.draw(st.integers(0, len(text)), label="start")
        end = data.draw(st.integers(start, min(len(text), start + 12)), label="end")
        put = data.draw(st.text(alphabet="ab1 :-{}[]#'\"|>\n\t,&*!$.\x07é", max_size=6), label="put")
        text = text[:start] + put + text[end:]
    files[name] = text
    holds(files)
