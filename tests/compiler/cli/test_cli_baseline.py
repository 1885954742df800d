"""`agentc baseline`, and what `validate` finds beyond what was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ASSERTED = """\
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: growth, version: 1.0.0, owner: security }
spec: { baseline: locks/baseline.json }
"""


@pytest.fixture
def recorded(agentc, project) -> Path:
    """A project whose access was recorded."""
    (project / "assertions.yaml").write_text(ASSERTED)
    missing = agentc("validate", project)
    assert missing.code == 1
    assert "error[AC423]: there is no baseline in `locks/baseline.json`" in missing.out
    done = agentc("baseline", project)
    assert (done.code, done.err) == (0, "")
    assert done.out == "desk/locks/baseline.json  1 agent, 2 tools\n"
    assert agentc("validate", project).out.startswith("no findings")
    return project


def beyond(agentc, project) -> list[str]:
    found = json.loads(agentc("validate", project, "--format", "json").out)
    return [f"{one['file']}:{one['line']} {one['message']}" for one in found if one["code"] == "AC422"]


def test_writing_again_gives_the_same_bytes(agentc, recorded):
    before = (recorded / "locks" / "baseline.json").read_bytes()
    assert agentc("baseline", recorded).code == 0
    assert (recorded / "locks" / "baseline.json").read_bytes() == before
    assert [path.name for path in (recorded / "locks").iterdir()] == ["baseline.json"]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "permissions.yaml",
            "maximum: 50",
            "maximum: 50.5",
            "desk/permissions.yaml:8 agent `triage`: `desk.refund` may be called with",
        ),
        (
            "permissions.yaml",
            '      bind: { ticket_id: "${input.ticket_id}" }\n',
            "",
            "`ticket_id` is not bound to what it has to be",
        ),
        (
            "toolset.yaml",
            "effect: send",
            "effect: update",
            "desk/toolset.yaml:10 `desk.refund`, which agent `triage` may call, has the effect",
        ),
        (
            "toolset.yaml",
            "effect: read }",
            "effect: read, output: { trust: trusted } }",
            "answers that are labelled as less of a risk",
        ),
        (
            "agentc.yaml",
            '127.0.0.1:8080"',
            '127.0.0.2:8080"',
            "desk/agentc.yaml:14 agent `triage` reaches `http://127.0.0.2:8080` in `local`",
        ),
        ("agentc.yaml", "gpt-5-mini", "gpt-5", "shows data to `openai gpt-5`"),
        (
            "agentc.yaml",
            "max_sensitivity: confidential",
            "max_sensitivity: restricted",
            "shows restricted data to `openai gpt-5-mini`",
        ),
        ("agent.yaml", "name: triage,", "name: other,", "desk/agent.yaml:3 agent `other` is new"),
        (
            "agent.yaml",
            "{ ticket_id: { type: string } }",
            "{ ticket_id: { type: [string, integer] } }",
            "agent `triage` takes more as its input",
        ),
    ],
)
def test_whatever_lets_an_agent_do_more_is_found_where_it_was_changed(
    agentc, recorded, edit, file, old, new, told
):
    edit(recorded / file, old, new)
    found = beyond(agentc, recorded)
    assert any(told in one for one in found), found


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("permissions.yaml", "maximum: 50", "maximum: 49"),
        (
            "permissions.yaml",
            "where: { amount: { maximum: 50 } }",
            "where: { amount: { maximum: 50 } }\n      quota: { per_run: 1 }",
        ),
        (
            "permissions.yaml",
            "where: { amount: { maximum: 50 } }",
            "where: { amount: { maximum: 50 } }\n      approval: { by: [leads] }",
        ),
        ("agentc.yaml", "max_sensitivity: confidential", "max_sensitivity: internal"),
        ("agent.yaml", "Help the customer.", "Help the customer, in two sentences."),
        ("toolset.yaml", "effect: read }", "effect: read, description: Reads one ticket. }"),
    ],
)
def test_less_and_other_words_are_fine(agentc, recorded, edit, file, old, new):
    edit(recorded / file, old, new)
    assert beyond(agentc, recorded) == []


def test_what_was_gained_is_told_when_it_is_recorded(agentc, recorded, edit):
    edit(recorded / "permissions.yaml", "maximum: 50", "maximum: 60")
    done = agentc("baseline", recorded)
    assert done.code == 0
    assert "now recorded: agent `triage`: `desk.refund` may be called with" in done.out
    assert agentc("validate", recorded).code == 0


def test_nothing_is_recorded_of_a_project_with_other_errors(agentc, recorded, edit):
    before = (recorded / "locks" / "baseline.json").read_bytes()
    edit(recorded / "permissions.yaml", "amount:", "ammount:")
    done = agentc("baseline", recorded)
    assert (done.code, done.out) == (1, "")
    assert "error[AC403]" in done.err
    assert (recorded / "locks" / "baseline.json").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": "agentc.baseline/9", "agents": {}}',
        '{"format": 1, "agents": {}}',
        "[" * 9999,
    ],
)
def test_a_file_that_is_no_baseline_is_an_error_and_not_an_empty_one(agentc, recorded, text):
    (recorded / "locks" / "baseline.json").write_text(text)
    done = agentc("validate", recorded)
    assert done.code == 1
    assert "error[AC423]: there is no baseline in `locks/baseline.json`" in done.out
    assert agentc("baseline", recorded).code == 0


def test_a_baseline_is_a_file_of_the_project(agentc, project):
    (project / "assertions.yaml").write_text(ASSERTED.replace("locks/", "../"))
    done = agentc("baseline", project)
    assert done.code == 2
    assert "`../baseline.json` leads out of the project" in done.err


def test_somebody_has_to_name_it(agentc, project):
    done = agentc("baseline", project)
    assert done.code == 2
    assert "no AssertionSet names a baseline: write `baseline: baseline.json`" in done.err
